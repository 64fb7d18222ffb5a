package proxy

import (
	"context"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

// Open is an admitted exchange that lasts: a WebSocket, a stream, a download, an upload, or a slow response.
type Open struct {
	Request *http.Request
	Host    string
	Path    urlpath.Path
	Params  urlpath.PreviewParams
	Session *session.Session
}

// watchAfter is how long an exchange may take before its session is watched. Most pages take less.
const watchAfter = time.Second

// watch ends an exchange when its session ends or is not admitted any more, because of a reload, changed claims, or
// what HubSpot knows, and when leaving is closed because the process shuts down. It subscribes before it asks, so that
// it misses nothing. It also asks periodically, because a record that vanished from Redis and an idle session are not
// announced, and so that what HubSpot knows about the person stays in use and is read again.
func (g *Gate) watch(p *exchange, leaving <-chan struct{}) {
	done := p.work.Context().Done()
	var expired <-chan time.Time
	if p.session != nil {
		timer := time.NewTimer(p.session.ExpiresAt.Sub(g.deps.Now()))
		defer timer.Stop()
		expired = timer.C
	}
	for judge := true; judge; {
		judge = false
		replaced := g.deps.Reloads.Replaced()
		ended, release := g.ended(p.session)
		changed, releaseCRM := g.changed(p.session)
		refused, again := g.redecide(p, ended, leaving)
		if refused != nil {
			release()
			releaseCRM()
			p.refuse(*refused)
			return
		}
		recheck := time.NewTimer(again)
		select {
		case <-done:
		case <-expired:
			p.refuse(rules.Decision{Kind: rules.Login, Reason: rules.ReasonNoSession})
		case <-leaving:
			p.end(goingAway)
		case <-ended:
			judge = true
		case <-changed:
			judge = true
		case <-replaced:
			judge = true
		case <-recheck.C:
			judge = true
		}
		recheck.Stop()
		release()
		releaseCRM()
	}
}

// redecide returns the decision that ends an exchange, nil if it goes on, and when to ask again. When the session's end
// is announced, or the process shuts down, it does not wait until Redis or HubSpot has answered: then nothing is
// decided.
func (g *Gate) redecide(p *exchange, ended, leaving <-chan struct{}) (refused *rules.Decision, again time.Duration) {
	ctx, cancel := context.WithCancel(p.work.Context()) // canceled when the exchange ends
	defer cancel()
	if p.session != nil {
		p.work.Go(func() {
			select {
			case <-ended:
			case <-leaving:
			case <-ctx.Done():
			}
			cancel()
		})
	}
	d, again := g.deps.Reloads.Redecide(Open{
		Request: p.in.WithContext(ctx),
		Host:    inbound.Of(p.in).Site.Host, Path: p.path, Params: p.params, Session: p.session,
	})
	if d.Admits() || ctx.Err() != nil {
		return nil, again
	}
	return &d, again
}

// ended is Sessions.Ended. A public page has no session.
func (g *Gate) ended(s *session.Session) (<-chan struct{}, func()) {
	if s == nil {
		return nil, func() {}
	}
	return g.deps.Sessions.Ended(s.Ref)
}

// refuse ends an exchange that is not admitted any more. The first reason counts.
func (p *exchange) refuse(d rules.Decision) {
	if d.Reason == rules.ReasonNoSession { // there was one
		d.Reason = "session_ended"
	}
	p.ended.CompareAndSwap(nil, &d)
	p.end(policyViolation)
}

// end ends an exchange: a WebSocket by a Close frame, an event stream that may be resumed elsewhere as if it were
// complete, so that the browser reconnects, and everything else by aborting it.
func (p *exchange) end(code uint16) {
	kind := p.kind.Load()
	if kind == webSocket {
		p.work.After(closeGrace, func() { p.work.Cancel(nil); p.socket.cut() })
		p.socket.requestClose(code)
		return
	}
	if code == goingAway {
		p.reply.ending.Store(complete)
	} else {
		p.reply.ending.Store(breakOff)
		p.work.Cancel(errEnded)
		p.abortClient()
	}
	if kind == eventStream { // of a public page, whose request has another context
		p.reply.Close()
	}
}

// abortClient ends what waits for the visitor although the exchange is canceled: net/http's transport for the rest of a
// body, and the handler until a piece of the response is read.
func (p *exchange) abortClient() {
	visitor, past := http.NewResponseController(p.out.ResponseWriter), time.Unix(1, 0)
	if p.in.ContentLength != 0 {
		_ = visitor.SetReadDeadline(past) // if it is not supported, other limits apply
	}
	if p.out.begun.Load() {
		_ = visitor.SetWriteDeadline(past)
	}
}

// Redecide decides by these rules about an open exchange with a session, nil for an anonymous visitor, and reports
// until when that holds: the zero time if it does not depend on what HubSpot knows.
func (g *Gate) Redecide(o Open, s *session.Session) (d rules.Decision, until time.Time) {
	match := g.rules.Match(o.Host, o.Path)
	d, judged, _ := g.judge(o.Request.Context(), s, func(s *session.Session) rules.Decision {
		return match.Decide(o.Request.Method, o.Params, s, g.deps.Now())
	})
	if judged != nil && judged.CRM != nil {
		until = judged.CRM.UsableUntil
	}
	return d, until
}
