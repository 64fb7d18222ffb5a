package urlpath

import (
	"net/http"
	"strings"
)

// ParseTarget judges a request's target as it came over the wire, in HTTP/1 and HTTP/2 alike. net/http's parsed URL has lost
// spellings by then; RequestURI has not.
func ParseTarget(r *http.Request) (Path, error) {
	target := r.RequestURI
	if r.URL.Host != "" && r.Method != http.MethodConnect && !strings.HasPrefix(target, "/") {
		var ok bool
		if target, ok = absoluteTarget(r); !ok {
			return Path{}, &Error{notAbsolute}
		}
	}
	if !strings.HasPrefix(target, "/") || r.Method == http.MethodConnect {
		return Path{}, &Error{notAbsolute}
	}
	if strings.IndexByte(target, '#') >= 0 { // a fragment is never sent; whoever sends one wants it cut somewhere (PB-16)
		return Path{}, &Error{delimiter}
	}
	path, query, _ := strings.Cut(target, "?")
	if strings.ContainsFunc(query, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return Path{}, &Error{control} // HTTP/2 can carry a space; in HTTP/1 it would end the target (request splitting)
	}
	return Parse(path)
}

// absoluteTarget is the origin-form of "GET http://host/path": net/http took Host from it, so it fits by construction; user-info
// and other schemes do not (PB-20).
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
