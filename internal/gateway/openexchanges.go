package gateway

import (
	"errors"
	"time"

	"github.com/hubgate/hubgate/proxy"
	"github.com/hubgate/hubgate/session"
)

// openExchanges decides about WebSockets and event streams that were admitted earlier, by the current rules and
// sessions.
type openExchanges struct{ gateway *gateway }

// Redecide reports whether an open exchange is still admitted, and when to ask again.
func (o openExchanges) Redecide(open proxy.Open) (admitted bool, again time.Duration) {
	return o.admits(open), o.gateway.sessions.Recheck()
}

// admits keeps an exchange while Redis is unavailable, as long as its session was confirmed within outage_grace.
func (o openExchanges) admits(open proxy.Open) bool {
	if o.gateway.current.Load().gate.Admits(open, nil) { // a public page needs no session
		return true
	}
	s, err := o.gateway.sessions.Peek(open.Request)
	if err != nil {
		known := open.Session != nil && !errors.Is(err, session.ErrNoSession)
		return known && o.gateway.sessions.Confirmed(open.Session.Ref)
	}
	return o.gateway.current.Load().gate.Admits(open, s)
}

// Replaced returns a channel that is closed when a reload replaces the current rules.
func (o openExchanges) Replaced() <-chan struct{} { return o.gateway.current.Load().replaced }
