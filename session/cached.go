package session

import (
	"sync/atomic"
	"time"
)

// cached is a session as this replica last read it. Requests share its session, which never changes: a refresh makes
// a new one.
type cached struct {
	session     *Session
	key         [keySize]byte // the visitor's key that opened it
	aad         []byte        // what the record is sealed to
	version     uint64
	fingerprint uint64 // of the stored record: an equal record need not be opened again

	seen               atomic.Int64  // idle clock, in Unix milliseconds
	savedSeen          atomic.Int64  // idle clock as Redis has it; 0 = Redis has lost it
	summaryFingerprint atomic.Uint64 // of the stored summary that the idle clock was read from
	confirmed          atomic.Pointer[confirmation]
}

// confirmation is when Redis last confirmed that a session exists, and during which connection of the subscription.
type confirmation struct {
	at    time.Time
	epoch int64
}

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

func (c *cached) lastSeen() time.Time { return time.UnixMilli(c.seen.Load()) }

// confirm records a confirmation unless there is a later one.
func (c *cached) confirm(latest *confirmation) {
	for {
		last := c.confirmed.Load()
		if last != nil && last.at.After(latest.at) || c.confirmed.CompareAndSwap(last, latest) {
			return
		}
	}
}

// advance moves a clock forward, never back.
func advance(clock *atomic.Int64, to int64) {
	for {
		now := clock.Load()
		if now >= to || clock.CompareAndSwap(now, to) {
			return
		}
	}
}
