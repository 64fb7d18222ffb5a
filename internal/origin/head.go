package origin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// appendHead appends a request's head. It is the same as net/http's in another order. Names, values and targets that
// would start another line are rejected (header injection and request splitting, CWE-113).
func appendHead(b []byte, req *http.Request) ([]byte, error) {
	target := req.URL.RequestURI()
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	if !isWord(target) || !isWord(host) {
		return nil, fmt.Errorf("origin: invalid request target %q of %q", target, host)
	}
	b = append(b, req.Method...)
	b = append(b, ' ')
	b = append(b, target...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	b = append(b, "\r\n"...)
	var room [32]string
	names := room[:0]
	for name := range req.Header {
		names = append(names, name)
	}
	slices.Sort(names) // a random order would look like many browsers behind one address
	for _, name := range names {
		values := req.Header[name]
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer": // framing headers: the message has no body
			continue
		case "User-Agent":
			if len(values) == 0 || values[0] == "" { // httputil.ReverseProxy's marker for none
				continue
			}
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, fmt.Errorf("origin: invalid header name %q", name)
		}
		for _, value := range values {
			if !isValue(value) {
				return nil, fmt.Errorf("origin: invalid value of header %s", name)
			}
			b = append(b, name...)
			b = append(b, ": "...)
			b = append(b, value...)
			b = append(b, "\r\n"...)
		}
	}
	return append(b, "\r\n"...), nil
}

// isWord reports whether s is not empty and has no spaces or control characters.
func isWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return s != ""
}

// isValue reports whether a value has no CR, LF or NUL (RFC 9110, section 5.5). The caller has checked the rest of it.
func isValue(s string) bool {
	return strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 && strings.IndexByte(s, 0) < 0
}
