package proxy

import (
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

// Open is an exchange that was admitted and lasts: a WebSocket, a stream, a download, an upload, or an origin that
// takes its time.
type Open struct {
	Request *http.Request
	Host    string
	Path    urlpath.Path
	Params  urlpath.PreviewParams
	Session *session.Session
}

// watchAfter is how long an exchange may take before its session is watched: most pages never cost that.
const watchAfter = time.Second

// watch ends an exchange when its session ends or is no longer admitted, by a reload or by changed claims; and when
// leaving is closed because the process is to end, for what would never end by itself. It listens before it asks, so
// that nothing falls between. Now and then it asks although it heard nothing: a record that vanished from Redis, or a
// session that was idle too long, is announced by nobody.
func (g *Gate) watch(p *exchange, leaving <-chan struct{}) {
	done := p.work.Context().Done()
	open := Open{
		Request: p.in.WithContext(p.work.Context()), // so that nothing is asked for an exchange that has ended
		Host:    inbound.Of(p.in).Site.Host, Path: p.path, Params: p.params, Session: p.session,
	}
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
		admitted, again := g.deps.Reloads.Redecide(open)
		if !admitted {
			release()
			if p.work.Context().Err() == nil { // else nobody could be asked any more
				p.end(policyViolation)
			}
			return
		}
		recheck := time.NewTimer(again)
		select {
		case <-done:
		case <-expired:
			p.end(policyViolation)
		case <-leaving:
			p.end(goingAway)
		case <-ended:
			judge = true
		case <-replaced:
			judge = true
		case <-recheck.C:
			judge = true
		}
		recheck.Stop()
		release()
	}
}

// ended tells of a session's changes; a public page has none.
func (g *Gate) ended(s *session.Session) (<-chan struct{}, func()) {
	if s == nil {
		return nil, func() {}
	}
	return g.deps.Sessions.Ended(s.Ref)
}

// end ends an exchange as it allows: a WebSocket by its Close frame; an event stream that may be resumed elsewhere by
// its end, which makes the browser come back; everything else by breaking off.
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
		p.work.Cancel(errSessionEnded)
		p.abortClient()
	}
	if kind == eventStream { // of a public page: its request has another context
		p.reply.Close()
	}
}

// abortClient ends what waits for the visitor although the exchange is canceled: net/http's transport for the rest of
// a body, the handler until a piece of the answer is taken.
func (p *exchange) abortClient() {
	visitor, past := http.NewResponseController(p.out.ResponseWriter), time.Unix(1, 0)
	if p.in.ContentLength != 0 {
		_ = visitor.SetReadDeadline(past) // without it, the body ends at its own limit, and so does the answer below
	}
	if p.out.begun.Load() {
		_ = visitor.SetWriteDeadline(past)
	}
}

// Admits judges an open exchange by these rules and a session as of now.
func (g *Gate) Admits(o Open, s *session.Session) bool {
	kind := g.rules.Match(o.Host, o.Path).Decide(o.Request.Method, o.Params, s, g.deps.Now()).Kind
	return kind == rules.Allow || kind == rules.Public
}
