package auth

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxKept bounds path and query of a return address. A longer one loses its query.
const maxKept = 2 << 10

// cleanReturn returns a safe return address from a request: a path of this host with its query, or "/". It never has
// a scheme or a host (open redirect, CWE-601), and never leads to the gateway's own endpoints (redirect loops, logout
// CSRF), except to the test page, which only shows. The path is checked after decoding it once.
func cleanReturn(raw, prefix string) string {
	returnTo, _ := keepReturn(raw, prefix)
	return returnTo
}

// keepReturn is cleanReturn, and also reports whether the address was too long and was shortened.
func keepReturn(raw, prefix string) (returnTo string, shortened bool) {
	if len(raw) == 0 || raw[0] != '/' || strings.ContainsAny(raw, "\\#") {
		return "/", false
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] <= ' ' || raw[i] == 0x7f {
			return "/", false
		}
	}
	path, query, hasQuery := strings.Cut(raw, "?")
	decoded, err := url.PathUnescape(path)
	if err != nil || !safePath(decoded) || isUnder(decoded, prefix) && raw != prefix+"/test" {
		return "/", false
	}
	if len(path) > maxKept {
		return "/", true
	}
	if !hasQuery {
		return path, false
	}
	if kept := path + "?" + escapeQuery(query); len(kept) <= maxKept {
		return kept, false
	}
	return path, true
}

// pathOf returns a return address without its query.
func pathOf(returnTo string) string {
	path, _, _ := strings.Cut(returnTo, "?")
	return path
}

// escapeQuery escapes characters that a URL must not contain (RFC 3986, section 2), because the JSON of a cookie would
// change bytes that are not UTF-8.
func escapeQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c >= 0x80 || c == '"' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// safePath reports whether browsers and servers agree on what a path means. Some read "//" or "\\" as another host, and
// control characters or dot segments as another path (CWE-22).
func safePath(decoded string) bool {
	if !utf8.ValidString(decoded) || strings.Contains(decoded, "//") || strings.Contains(decoded, "\\") {
		return false
	}
	if strings.Contains(decoded, ";") && !isFile(decoded) { // the proxy rejects it
		return false
	}
	for _, r := range decoded {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0x2028 || r == 0x2029 {
			return false
		}
	}
	for _, segment := range strings.Split(decoded, "/") {
		segment, _, _ = strings.Cut(segment, ";") // some servers remove path parameters first, and read "..;" as ".."
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// isFile reports whether a path is below one of HubSpot's file folders, whose names may contain a semicolon.
func isFile(path string) bool {
	return isUnder(path, "/hubfs") || isUnder(path, "/hs-fs") || isUnder(path, "/hub")
}

func isUnder(path, prefix string) bool {
	lower := strings.ToLower(path)
	return lower == prefix || strings.HasPrefix(lower, prefix+"/")
}
