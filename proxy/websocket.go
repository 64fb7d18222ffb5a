package proxy

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/session"
)

// Open is a long-lived connection that was admitted: a WebSocket or an event stream.
type Open struct {
	Request *http.Request
	Host    string
	Path    Path
	Doors   Doors
	Session *session.Session
}

// isUpgrade tells a request that asks to leave HTTP. Only WebSockets may; any other Upgrade is ignored, as RFC 9110 7.8 allows, so
// that no tunnel leads past the checks (PB-29).
func isUpgrade(r *http.Request) bool { return isWebSocket(r) }

func isWebSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && hasToken(r.Header.Values("Connection"), "upgrade") && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

func hasToken(values []string, token string) bool {
	for _, value := range values {
		for _, part := range strings.Split(value, ",") {
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

// untilEnded cuts an open connection when its session ends or is no longer admitted, by a reload or by changed claims.
func (g *Gate) untilEnded(ctx context.Context, r *http.Request, p passing) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	open := Open{Request: r, Host: inbound.Of(r).Site.Host, Path: p.path, Doors: p.doors, Session: p.session}
	go func() {
		replaced := g.deps.Replaced
		end := time.NewTimer(p.session.ExpiresAt.Sub(g.deps.Now()))
		defer end.Stop()
		for {
			ended, release := g.deps.Ended(p.session.Ref)
			select {
			case <-ctx.Done():
				release()
				return
			case <-end.C:
				release()
				cancel()
				return
			case <-ended:
			case <-replaced:
				replaced = nil
			}
			release()
			if !g.deps.Redecide(open) {
				cancel()
				return
			}
		}
	}()
	return ctx, cancel
}

// Admits judges an open connection by these rules and a session as of now.
func (g *Gate) Admits(o Open, s *session.Session) bool {
	return g.rules.Match(o.Host, o.Path).Decide(http.MethodGet, o.Doors, s, g.deps.Now()).Kind == Allow
}
