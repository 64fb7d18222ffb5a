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

// Redecide reports whether an open exchange is still admitted, and when to ask again: at the latest when what HubSpot
// said about the person is too old.
func (o openExchanges) Redecide(open proxy.Open) (admitted bool, again time.Duration) {
	admitted, until := o.admits(open)
	again = o.gateway.sessions.Recheck()
	if !until.IsZero() {
		again = min(again, until.Sub(o.gateway.now()))
	}
	return admitted, again
}

// admits keeps an exchange while Redis is unavailable, as long as its session was confirmed within outage_grace and the
// rules admit it.
func (o openExchanges) admits(open proxy.Open) (admitted bool, until time.Time) {
	if admitted, until = o.gateway.current.Load().gate.Admits(open, nil); admitted { // a public page needs no session
		return admitted, until
	}
	s, err := o.gateway.sessions.Peek(open.Request)
	if err != nil {
		if open.Session == nil || errors.Is(err, session.ErrNoSession) || !o.gateway.sessions.Confirmed(open.Session.Ref) {
			return false, time.Time{}
		}
		s = open.Session
	}
	return o.gateway.current.Load().gate.Admits(open, s)
}

// Replaced returns a channel that is closed when a reload replaces the current rules.
func (o openExchanges) Replaced() <-chan struct{} { return o.gateway.current.Load().replaced }
