package origin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// appendHead writes a request's head. It is net/http's in another order, and refuses a name, a value or a target that would begin another
// line (header injection, request splitting).
func appendHead(b []byte, req *http.Request) ([]byte, error) {
	target := req.URL.RequestURI()
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	if !isWord(target) || !isWord(host) {
		return nil, fmt.Errorf("origin: %q of %q is no target", target, host)
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
	slices.Sort(names) // an order that changed with each request would look like many browsers behind one address
	for _, name := range names {
		values := req.Header[name]
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer": // frame the message, which has no body
			continue
		case "User-Agent":
			if len(values) == 0 || values[0] == "" { // httputil's way to say that there is none
				continue
			}
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, fmt.Errorf("origin: %q is no header name", name)
		}
		for _, value := range values {
			if !isValue(value) {
				return nil, fmt.Errorf("origin: the value of header %s begins another line", name)
			}
			b = append(b, name...)
			b = append(b, ": "...)
			b = append(b, value...)
			b = append(b, "\r\n"...)
		}
	}
	return append(b, "\r\n"...), nil
}

// isWord tells text without spaces and control characters.
func isWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return s != ""
}

// isValue tells a value that ends nowhere but at its end (RFC 9110 5.5). Whoever handed it over has judged the rest of it.
func isValue(s string) bool {
	return strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 && strings.IndexByte(s, 0) < 0
}
