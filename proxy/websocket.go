package proxy

import (
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
)

// isWebSocket tells a request that asks to become a WebSocket. Any other Upgrade is ignored, as RFC 9110 7.8 allows, so that no tunnel
// leads past the checks (PB-29).
func isWebSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && r.ProtoMajor == 1 && r.ProtoMinor > 0 &&
		hasToken(r.Header.Values("Connection"), "upgrade") && isWebSocketName(r.Header)
}

func isWebSocketName(h http.Header) bool { return strings.EqualFold(h.Get("Upgrade"), "websocket") }

func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// sameOrigin refuses a WebSocket that a page of somebody else's opened with the visitor's cookie (cross-site WebSocket hijacking):
// browsers always say the Origin. Programs that are no browsers say none.
func sameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	return len(origins) == 1 && strings.EqualFold(origins[0], inbound.Of(r).Site.Origin())
}
