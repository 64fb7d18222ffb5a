package proxy

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
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

// isWebSocket tells a request that asks to become a WebSocket. Any other Upgrade is ignored, as RFC 9110 7.8 allows, so that no tunnel
// leads past the checks (PB-29).
func isWebSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && hasToken(r.Header.Values("Connection"), "upgrade") && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

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

// watch ends an open connection when its session ends or is no longer admitted, by a reload or by changed claims, and when the process
// is to end. It listens before it asks, so that nothing falls between. Now and then it asks although it heard nothing: a record that
// vanished from Redis, or a session that was idle too long, is announced by nobody.
func (g *Gate) watch(ctx context.Context, p *passing) {
	open := Open{Request: p.in, Host: inbound.Of(p.in).Site.Host, Path: p.path, Doors: p.doors, Session: p.session}
	var expired <-chan time.Time
	if p.session != nil {
		timer := time.NewTimer(p.session.ExpiresAt.Sub(g.deps.Now()))
		defer timer.Stop()
		expired = timer.C
	}
	for {
		replaced := g.deps.Replaced()
		ended, release := g.ended(p.session)
		if !g.deps.Redecide(open) {
			release()
			p.end(policyViolation)
			return
		}
		again := time.NewTimer(g.deps.Recheck())
		select {
		case <-ctx.Done():
			release()
			return
		case <-expired:
			release()
			p.end(policyViolation)
			return
		case <-g.deps.Leaving:
			release()
			p.end(goingAway)
			return
		case <-ended:
		case <-replaced:
		case <-again.C:
		}
		again.Stop()
		release()
	}
}

// ended tells of a session's changes; a public page has none.
func (g *Gate) ended(s *session.Session) (<-chan struct{}, func()) {
	if s == nil {
		return nil, func() {}
	}
	return g.deps.Ended(s.Ref)
}

// end says goodbye as the connection allows: a WebSocket by its Close frame; an event stream by its end, which makes the browser come
// back elsewhere, or, when nobody may come back, by breaking off.
func (p *passing) end(code uint16) {
	if p.websocket {
		time.AfterFunc(closeGrace, func() { p.cut(); p.socket.cut() })
		p.socket.leave(code)
		return
	}
	if code == goingAway {
		p.events.leaving.Store(true)
	}
	p.cut()
}

// events is the body of an event stream that can be ended as if all had been said.
type events struct {
	io.ReadCloser
	leaving atomic.Bool
}

func (e *events) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if err != nil && e.leaving.Load() {
		err = io.EOF
	}
	return n, err
}

// Admits judges an open connection by these rules and a session as of now.
func (g *Gate) Admits(o Open, s *session.Session) bool {
	kind := g.rules.Match(o.Host, o.Path).Decide(http.MethodGet, o.Doors, s, g.deps.Now()).Kind
	return kind == Allow || kind == Public
}
