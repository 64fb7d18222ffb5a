package auth

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// Bounds of a return address: what is longer than maxReturn is not believed, what is longer than maxKept keeps its path only.
const (
	maxReturn = 8 << 10
	maxKept   = 1 << 10
)

// cleanReturn makes a return address of what a request says: a path of this host, with its query, or "/". It never comes with a scheme
// or a host, is decoded once and judged on that, and does not lead back into the gateway's own endpoints (open redirects, OR-01 to
// OR-13; loops and forced logouts, OR-11).
func cleanReturn(raw, prefix string) string {
	if len(raw) == 0 || len(raw) > maxReturn || raw[0] != '/' || strings.ContainsAny(raw, "\\#") {
		return "/"
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] <= ' ' || raw[i] == 0x7f {
			return "/"
		}
	}
	path, query, hasQuery := strings.Cut(raw, "?")
	decoded, err := url.PathUnescape(path)
	if err != nil || !tamePath(decoded) || isUnder(decoded, prefix) {
		return "/"
	}
	if hasQuery && len(raw) <= maxKept {
		return path + "?" + query
	}
	if len(path) > maxKept {
		return "/"
	}
	return path
}

// tamePath refuses what browsers or servers read as another host or another path.
func tamePath(decoded string) bool {
	if !utf8.ValidString(decoded) || strings.Contains(decoded, "//") || strings.ContainsAny(decoded, "\\;") {
		return false
	}
	for _, r := range decoded {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0x2028 || r == 0x2029 {
			return false
		}
	}
	for _, segment := range strings.Split(decoded, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

func isUnder(path, prefix string) bool {
	lower := strings.ToLower(path)
	return lower == prefix || strings.HasPrefix(lower, prefix+"/")
}
