package gateway

import (
	"errors"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/proxy"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// openExchanges decides about WebSockets and event streams that were admitted earlier, by the current rules and
// sessions.
type openExchanges struct{ gateway *gateway }

// Redecide decides about an open exchange, and reports when to ask again: at the latest when what HubSpot said about
// the person is too old.
func (o openExchanges) Redecide(open proxy.Open) (d rules.Decision, again time.Duration) {
	d, until := o.decide(open)
	again = o.gateway.sessions.Recheck()
	if !until.IsZero() {
		again = min(again, until.Sub(o.gateway.now()))
	}
	return d, again
}

// decide keeps an exchange while Redis is unavailable, as long as its session was confirmed within outage_grace and the
// rules admit it.
func (o openExchanges) decide(open proxy.Open) (d rules.Decision, until time.Time) {
	d, until = o.gateway.current.Load().gate.Redecide(open, nil)
	if d.Kind != rules.Login { // a public page needs no session, and what is refused admits none
		return d, until
	}
	s, err := o.gateway.sessions.Peek(open.Request)
	switch {
	case errors.Is(err, session.ErrNoSession):
		return d, until
	case err != nil && (open.Session == nil || !o.gateway.sessions.Confirmed(open.Session.Ref)):
		return rules.Decision{Kind: "error", Reason: "store", Status: http.StatusServiceUnavailable}, time.Time{}
	case err != nil:
		s = open.Session
	}
	return o.gateway.current.Load().gate.Redecide(open, s)
}

// Replaced returns a channel that is closed when a reload replaces the current rules.
func (o openExchanges) Replaced() <-chan struct{} { return o.gateway.current.Load().replaced }
