package proxy

import (
	"maps"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
)

// isWebSocket reports whether a request asks for a WebSocket. Any other Upgrade is ignored, as RFC 9110, section 7.8,
// allows, so that no tunnel bypasses the checks (h2c smuggling).
func isWebSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && r.ProtoMajor == 1 && r.ProtoMinor > 0 &&
		hasToken(r.Header.Values("Connection"), "upgrade") && isWebSocketName(r.Header)
}

// isWebSocketName reports whether Upgrade names a WebSocket.
func isWebSocketName(h http.Header) bool { return equalASCII(h.Get("Upgrade"), "websocket") }

// equalASCII compares ignoring case, as HTTP does. strings.EqualFold alone folds U+017F to s and U+212A to k, so that
// hubgate would see a WebSocket where net/http sees none.
func equalASCII(value, name string) bool {
	return len(value) == len(name) && strings.EqualFold(value, name)
}

// withoutUpgrade returns the request without its Upgrade header: httputil would forward it, or blame the origin for one
// that cannot be printed. Connection stays until httputil has removed what it names.
func withoutUpgrade(r *http.Request) *http.Request {
	if r.Header["Upgrade"] == nil {
		return r
	}
	out := *r
	out.Header = maps.Clone(r.Header) // the visitor's request keeps its own
	delete(out.Header, "Upgrade")
	return &out
}

// hasToken reports whether a list header has a token (RFC 9110, section 5.6.1).
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if equalASCII(strings.Trim(part, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// sameOrigin reports whether a WebSocket was not opened by a page of another site with the visitor's cookie (cross-site
// WebSocket hijacking, CWE-1385). Browsers always send Origin; other clients do not.
func sameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	return len(origins) == 1 && strings.EqualFold(origins[0], inbound.Of(r).Site.Origin())
}
