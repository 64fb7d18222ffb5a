package session

import "sync/atomic"

// connectionEpoch numbers the connections of the subscription. While the subscription is down, the end of a session may
// be missed, so what was confirmed during an earlier connection counts as unconfirmed.
type connectionEpoch struct {
	last   atomic.Int64
	active atomic.Int64 // 0 while the subscription is down
}

func (e *connectionEpoch) up()   { e.active.Store(e.last.Add(1)) }
func (e *connectionEpoch) down() { e.active.Store(0) }

// current returns the number of the current connection, or 0 while the subscription is down.
func (e *connectionEpoch) current() int64 { return e.active.Load() }
