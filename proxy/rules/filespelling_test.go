package rules

import (
	"strconv"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// steps are what origins do to a path before they look for a file, implemented independently of the gateway.
var steps = []func(string) string{
	func(s string) string { return strings.ReplaceAll(s, "+", " ") },
	func(s string) string {
		var b strings.Builder
		for i := 0; i < len(s); i++ {
			if i+2 < len(s) && s[i] == '%' {
				if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
					b.WriteByte(byte(n))
					i += 2
					continue
				}
			}
			b.WriteByte(s[i])
		}
		return b.String()
	},
	func(s string) string { return norm.NFKC.String(s) },
	func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' || unicode.In(r, unicode.Cf, unicode.Co, unicode.Variation_Selector) {
				return -1
			}
			return r
		}, s)
	},
	func(s string) string {
		return segmentwise(s, func(p string) string { p, _, _ = strings.Cut(p, ";"); return p })
	},
	func(s string) string { s, _, _ = strings.Cut(s, "#"); return s },
	func(s string) string { s, _, _ = strings.Cut(s, "?"); return s },
	func(s string) string { s, _, _ = strings.Cut(s, "\x00"); return s },
	func(s string) string {
		return segmentwise(s, func(p string) string { return strings.TrimRight(p, ". ") })
	},
	func(s string) string { return segmentwise(s, strings.TrimSpace) },
	func(s string) string { return strings.ReplaceAll(s, `\`, "/") },
	func(s string) string {
		return strings.NewReplacer("\u2044", "/", "\u2215", "/", "\u29f8", "/").Replace(s)
	},
	func(s string) string {
		return segmentwise(s, func(p string) string { p, _, _ = strings.Cut(p, "&"); return p })
	},
	func(s string) string {
		return segmentwise(s, func(p string) string { p, _, _ = strings.Cut(p, ":"); return p })
	},
	func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return r
		}, norm.NFD.String(s))
	},
	strings.ToLower,
	func(s string) string { return strings.ToLower(strings.ToUpper(s)) },
}

func segmentwise(path string, change func(string) string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		if parts[i] != "." && parts[i] != ".." {
			parts[i] = change(parts[i])
		}
	}
	return strings.Join(parts, "/")
}

// numbers are parsers of HubIDs.
var numbers = []func(string) bool{
	func(s string) bool { _, err := strconv.ParseInt(s, 10, 64); return err == nil },
	func(s string) bool { _, err := strconv.ParseInt(s, 0, 64); return err == nil },
	func(s string) bool {
		_, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		return err == nil && strings.Trim(s, " infatyINFATY+-") != ""
	},
	func(s string) bool { // atoi, parseInt
		s = strings.TrimLeft(strings.TrimSpace(s), "+-")
		return s != "" && '0' <= s[0] && s[0] <= '9'
	},
	func(s string) bool { // int of Python, parseLong of Java
		s = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(s), "+"), "-")
		return s != "" && strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsDigit(r) || r == '_' }) == ""
	},
}

// served returns the possible names of the file that an origin serves for a path, one for each parser of HubIDs.
func served(path string) []string {
	var parts []string
	for _, part := range strings.Split(path, "/") {
		switch part {
		case "", ".":
		case "..":
			parts = parts[:max(0, len(parts)-1)]
		default:
			parts = append(parts, part)
		}
	}
	if len(parts) > 0 && parts[0] == "hs-fs" {
		parts = parts[1:]
	}
	var names []string
	for _, isNumber := range numbers {
		rest := parts
		switch {
		case len(rest) > 1 && rest[0] == "hub" && isNumber(rest[1]):
			if rest = rest[2:]; len(rest) > 0 && rest[0] == "hubfs" {
				rest = rest[1:]
			}
		case len(rest) > 1 && rest[0] == "hubfs" && isNumber(rest[1]):
			names = append(names, strings.Join(rest[1:], "/"))
			rest = rest[2:]
		case len(rest) > 0 && rest[0] == "hubfs":
			rest = rest[1:]
		default:
			continue
		}
		names = append(names, strings.Join(rest, "/"))
	}
	return names
}

// FuzzFileSpelling looks for a public path that an origin reads as a protected file. The origin is a chain of steps,
// chosen by order.
func FuzzFileSpelling(f *testing.F) {
	for _, seed := range []string{"/hubfs/private/x", "/hubfs/board+room/x", "/hubfs/+123/private/x",
		"/hub/%D9%A1/hubfs/board%2520room/x", "/hubfs/pri%E2%80%8Bvate;a%23/x",
		"/hs-fs/hubfs/1e5/%EF%BD%90rivate%20./x",
		"/hubfs/a%252e/private%3F", "/hub/0x7b;/report.pdf%EF%BC%9Bx", "/hubfs/board%C2%A0room+/..x",
		"/hubfs/private%EF%BC%8Fx", "/hubfs/private%255C%2501x", "/hubfs/private::x&y/z",
		"/hubfs/%E2%84%85%252Fpriv%25C3%25A1te%E2%81%84x",
		"/hubfs+/private/x", "/+hubfs/report.pdf", "/hubfs/%25EF%25BC%258E/private"} {
		for order := range uint64(len(steps)) {
			f.Add(seed, order*1_000_003+7)
		}
	}
	rs := compiled(f, accessRules(loginRule("/hubfs/private/**"), loginRule("/hubfs/board room/**"),
		loginRule("/hubfs/report.pdf")))
	f.Fuzz(func(t *testing.T, raw string, order uint64) {
		p, err := urlpath.Parse(raw)
		if err != nil || rs.Match(testHost, p).Decide("GET", 0, nil, fixedNow).Kind != Public {
			return
		}
		path, decoded := p.Escaped(), false
		for ; order > 0; order /= uint64(len(steps)) {
			i := order % uint64(len(steps))
			decoded = decoded || i == 1
			path = steps[i](path)
		}
		if !decoded {
			path = steps[1](path)
		}
		for _, name := range served(strings.ToLower(path)) {
			if name == "report.pdf" || strings.HasPrefix(name, "private/") || strings.HasPrefix(name, "board room/") {
				t.Fatalf("%q is public, and an origin reads %q: %q", raw, path, p.Readings())
			}
		}
	})
}
