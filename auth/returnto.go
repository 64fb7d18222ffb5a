package auth

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxKept bounds a return address, path and query together: what is longer keeps its path only.
const maxKept = 2 << 10

// cleanReturn makes a return address of what a request says: a path of this host, with its query, or "/". It never
// comes with a scheme or a host, is decoded once and judged on that, and does not lead back into the gateway's own
// endpoints (open redirects, CWE-601; loops and forced logouts).
func cleanReturn(raw, prefix string) string {
	returnTo, _ := keepReturn(raw, prefix)
	return returnTo
}

// keepReturn is cleanReturn that also reports whether the address was too long to be kept as it is.
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
	if err != nil || !tamePath(decoded) || isUnder(decoded, prefix) {
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

// pathOf is a return address without its query.
func pathOf(returnTo string) string {
	path, _, _ := strings.Cut(returnTo, "?")
	return path
}

// escapeQuery escapes what a URL should not hold as it is (RFC 3986, section 2): a cookie's JSON would change bytes
// that are no UTF-8.
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

// tamePath refuses what browsers or servers read as another host or another path.
func tamePath(decoded string) bool {
	if !utf8.ValidString(decoded) || strings.Contains(decoded, "//") || strings.Contains(decoded, "\\") {
		return false
	}
	if strings.Contains(decoded, ";") && !isFile(decoded) { // the gate refuses it
		return false
	}
	for _, r := range decoded {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0x2028 || r == 0x2029 {
			return false
		}
	}
	for _, segment := range strings.Split(decoded, "/") {
		segment, _, _ = strings.Cut(segment, ";") // some servers drop path parameters first: "..;" is ".." to them
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// isFile reports whether a path is below one of HubSpot's folders of files, whose names may hold a semicolon.
func isFile(path string) bool {
	return isUnder(path, "/hubfs") || isUnder(path, "/hs-fs") || isUnder(path, "/hub")
}

func isUnder(path, prefix string) bool {
	lower := strings.ToLower(path)
	return lower == prefix || strings.HasPrefix(lower, prefix+"/")
}
