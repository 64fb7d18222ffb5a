package session

import (
	"sync/atomic"
	"time"
)

// cached is a session as this replica last saw it. Its session is shared and never changed; a refresh makes a new one.
type cached struct {
	session *Session
	key     [keySize]byte // the visitor's: it was opened with
	aad     []byte        // it is bound to
	version uint64
	print   uint64 // of the stored record: while that is the same, nothing needs to be opened again
	clock   atomic.Uint64
	seen    atomic.Int64 // the idle clock, Unix milliseconds
	written atomic.Int64 // the idle clock as it is in Redis
	sight   atomic.Pointer[sighting]
}

// sighting is when Redis last said that a session exists, and the subscription's epoch at that time.
type sighting struct {
	at    time.Time
	epoch int64
}

func (m *Manager) sighting() *sighting { return &sighting{m.deps.Now(), m.epoch.Load()} }

func (c *cached) lastSeen() time.Time { return time.UnixMilli(c.seen.Load()) }

// sighted notes a later sighting.
func (c *cached) sighted(s *sighting) {
	for {
		last := c.sight.Load()
		if last != nil && last.at.After(s.at) || c.sight.CompareAndSwap(last, s) {
			return
		}
	}
}

// advance moves a clock forwards.
func advance(clock *atomic.Int64, to int64) {
	for {
		now := clock.Load()
		if now >= to || clock.CompareAndSwap(now, to) {
			return
		}
	}
}
