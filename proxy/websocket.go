package proxy

import (
	"maps"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
)

// isWebSocket tells a request that asks to become a WebSocket. Any other Upgrade is ignored, as RFC 9110 7.8 allows, so
// that no tunnel leads past the checks (PB-29).
func isWebSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && r.ProtoMajor == 1 && r.ProtoMinor > 0 &&
		hasToken(r.Header.Values("Connection"), "upgrade") && isWebSocketName(r.Header)
}

func isWebSocketName(h http.Header) bool { return equalASCII(h.Get("Upgrade"), "websocket") }

// equalASCII compares without regard to case as HTTP does. strings.EqualFold folds U+017F to s and U+212A to k as well,
// so that hubgate would see a WebSocket where net/http sees none.
func equalASCII(value, name string) bool {
	return len(value) == len(name) && strings.EqualFold(value, name)
}

// withoutUpgrade returns the request without its Upgrade header, which is not for the origin: httputil would pass it
// on, or blame the origin for one that it cannot print. Connection stays until httputil has removed what it names.
func withoutUpgrade(r *http.Request) *http.Request {
	if r.Header["Upgrade"] == nil {
		return r
	}
	out := *r
	out.Header = maps.Clone(r.Header) // the visitor's own may still be asked about
	delete(out.Header, "Upgrade")
	return &out
}

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

// sameOrigin refuses a WebSocket that a page of somebody else's opened with the visitor's cookie (cross-site WebSocket
// hijacking): browsers always say the Origin. Programs that are no browsers say none.
func sameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	return len(origins) == 1 && strings.EqualFold(origins[0], inbound.Of(r).Site.Origin())
}
