package urlpath

import (
	"net/http"
	"strings"
)

// ParseTarget parses a request's target as it was sent, in HTTP/1 and HTTP/2.
func ParseTarget(r *http.Request) (Path, error) {
	raw, err := RawPath(r)
	if err != nil {
		return Path{}, err
	}
	return Parse(raw)
}

// RawPath returns the path of a request's target as it was sent: escaped, in the client's spelling, and not checked. It
// uses RequestURI, because net/http's parsed URL has lost the spelling.
func RawPath(r *http.Request) (string, error) {
	target := r.RequestURI
	if r.URL.Host != "" && r.Method != http.MethodConnect && !strings.HasPrefix(target, "/") {
		var ok bool
		if target, ok = absoluteTarget(r); !ok {
			return "", &Error{notAbsolute}
		}
	}
	if !strings.HasPrefix(target, "/") || r.Method == http.MethodConnect {
		return "", &Error{notAbsolute}
	}
	if strings.IndexByte(target, '#') >= 0 { // browsers never send a fragment; an origin may cut it off
		return "", &Error{delimiter}
	}
	path, query, _ := strings.Cut(target, "?")
	if strings.ContainsFunc(query, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		// HTTP/2 allows a space, which would end the target in HTTP/1 (request splitting, CWE-113).
		return "", &Error{control}
	}
	return path, nil
}

// absoluteTarget returns the origin-form of a target in absolute-form, "GET http://host/path" (RFC 9112, section
// 3.2.2). User information and other schemes are refused: an origin may take another part of them for the host.
func absoluteTarget(r *http.Request) (string, bool) {
	if (r.URL.Scheme != "http" && r.URL.Scheme != "https") || r.URL.User != nil || r.URL.Host != r.Host {
		return "", false
	}
	_, rest, _ := strings.Cut(r.RequestURI, "://")
	i := strings.IndexAny(rest, "/?#")
	if i < 0 {
		return "/", true
	}
	if rest[i] != '/' {
		return "/" + rest[i:], true
	}
	return rest[i:], true
}
