package session

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/inbound"
)

// cached is a session as this replica last saw it. Its session is shared and never changed; a refresh makes a new one.
type cached struct {
	session   *Session
	version   uint64
	aad       string       // host, issuer and client it was opened for
	confirmed time.Time    // when Redis last said that it exists
	epoch     int64        // of the subscription at that time
	seen      atomic.Int64 // the idle clock, Unix milliseconds
	written   atomic.Int64 // the idle clock as it is in Redis
}

func (c *cached) lastSeen() time.Time { return time.UnixMilli(c.seen.Load()) }

// get returns the session of a ticket: from the cache while that may be trusted, else from Redis, else, when Redis is away, from the
// cache within outage_grace.
func (m *Manager) get(ctx context.Context, t ticket, site *inbound.Site) (*cached, error) {
	live := m.live.Load()
	ref := t.ref()
	host := ""
	if site != nil {
		host = site.Host
	}
	aad := binding(ref, host, live.Issuer, live.ClientID)
	if m.over.has(ref, m.deps.Now()) {
		return nil, &NoneError{RecordMissing}
	}
	known, _ := m.cache.GetIfPresent(ref)
	if known != nil && known.aad != string(aad) {
		return nil, &NoneError{RecordMissing} // of another host, pool or client
	}
	if known != nil && m.trusts(known, live) && !m.idle(known) { // idle here: another replica may have seen the visitor
		m.deps.Metrics.cache.WithLabelValues("hit").Inc()
		return known, m.valid(known)
	}
	c, err := m.read(ctx, t, aad)
	switch {
	case err == nil:
		m.deps.Metrics.cache.WithLabelValues("miss").Inc()
		return c, m.valid(c)
	case errors.Is(err, ErrNone):
		m.lost(ref)
		return nil, err
	}
	if known != nil && m.deps.Outage() && m.deps.Now().Sub(known.confirmed) < live.Config.OutageGrace.D() && !m.idle(known) {
		m.deps.Metrics.cache.WithLabelValues("stale").Inc()
		return known, m.valid(known)
	}
	return nil, m.failed(err)
}

// trusts: confirmed within cache_ttl, and no ending can have been missed since.
func (m *Manager) trusts(c *cached, live *Live) bool {
	epoch := m.epoch.Load()
	return epoch%2 == 0 && c.epoch == epoch && m.deps.Now().Sub(c.confirmed) < live.Config.CacheTTL.D()
}

// read asks Redis for record and summary in one round trip.
func (m *Manager) read(ctx context.Context, t ticket, aad []byte) (*cached, error) {
	ref, began, epoch := t.ref(), m.deps.Now(), m.epoch.Load()
	values, err := m.deps.Redis.MGet(ctx, m.recordKey(ref), m.summaryKey(ref)).Result()
	if err != nil && isWrongType(err) {
		err = redis.Nil
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	m.answered()
	if err != nil || len(values) != 2 {
		return nil, &NoneError{RecordMissing}
	}
	stored, ok := values[0].(string)
	if !ok {
		return nil, &NoneError{RecordMissing}
	}
	s, version, err := decodeRecord(m.deps.Ring, t, []byte(stored), aad)
	if err != nil {
		m.deps.Metrics.unreadable.Inc()
		return nil, &NoneError{RecordMissing}
	}
	c := &cached{session: s, version: version, aad: string(aad), confirmed: began, epoch: epoch}
	m.readClock(c, ref, values[1])
	m.keep(ref, c)
	return c, nil
}

// readClock takes the idle clock from the summary. One that is gone or damaged says nothing about when the visitor was last seen, and
// what ends a session must be known: the clock starts anew, and the next touch repairs the summary.
func (m *Manager) readClock(c *cached, ref string, value any) {
	seen := m.deps.Now()
	if sealed, ok := value.(string); ok {
		if u, err := decodeSummary(m.deps.Ring, ref, []byte(sealed)); err == nil {
			seen = fromMillis(u.Seen)
			c.written.Store(u.Seen)
		}
	}
	c.seen.Store(seen.UnixMilli())
}

// keep puts a session into the cache, unless it ended while it was being read, or a later look at it is there already: a load that
// began before the ending may not fill the cache.
func (m *Manager) keep(ref string, c *cached) {
	m.cache.Compute(ref, func(now *cached, found bool) (*cached, otter.ComputeOp) {
		if m.over.has(ref, m.deps.Now()) {
			return nil, otter.InvalidateOp
		}
		if found && now.confirmed.After(c.confirmed) {
			return now, otter.CancelOp
		}
		if found && now.seen.Load() > c.seen.Load() { // moved here and not written yet
			c.seen.Store(now.seen.Load())
		}
		return c, otter.WriteOp
	})
}

// forget leaves a tombstone: the session is over here from now on, whatever Redis or an earlier load says.
func (m *Manager) forget(ref string) {
	live, now := m.live.Load().Config, m.deps.Now()
	m.bury(ref, tombstone{until: now.Add(live.CacheTTL.D() + live.OutageGrace.D() + time.Second), ended: true})
}

// owe leaves a tombstone that stays until Redis has taken the end, however long it is away: else the session would be back with Redis.
func (m *Manager) owe(c chore) {
	m.bury(c.ref, tombstone{until: m.deps.Now().Add(m.live.Load().Config.Lifetime.D()), ended: true})
	m.later(c)
}

// lost notes that a session has no record. A Redis that lost it may get it back (a backup, a fail-over), so this is believed no longer
// than what was read otherwise.
func (m *Manager) lost(ref string) {
	m.bury(ref, tombstone{until: m.deps.Now().Add(m.live.Load().Config.CacheTTL.D())})
}

func (m *Manager) bury(ref string, t tombstone) {
	m.over.add(ref, t, m.deps.Now())
	m.cache.Invalidate(ref)
	m.watch.tell(ref)
}

// drop makes this replica ask Redis at the next request: the session changed elsewhere.
func (m *Manager) drop(ref string) {
	m.cache.Invalidate(ref)
	m.watch.tell(ref)
}

// touch moves the idle clock: here at once, in Redis at most once per a tenth of the idle time-out.
func (m *Manager) touch(ctx context.Context, c *cached) {
	now := m.deps.Now().UnixMilli()
	c.seen.Store(now)
	every := 5 * time.Minute
	if idle := m.live.Load().Config.IdleTimeout.D(); idle > 0 {
		every = max(time.Second, idle/10)
	}
	written := c.written.Load()
	if now-written < every.Milliseconds() || !c.written.CompareAndSwap(written, now) {
		return
	}
	if err := m.writeClock(ctx, c.session, now); err != nil {
		m.later(chore{ending: ending{ref: c.session.Ref}, clock: c})
		m.failed(err)
	}
}

// watchers are told when a session ends or changes: open WebSockets and streams.
type watchers struct {
	mu  sync.Mutex
	all map[string]map[chan struct{}]bool
}

func newWatchers() *watchers { return &watchers{all: map[string]map[chan struct{}]bool{}} }

func (ws *watchers) tell(ref string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for ch := range ws.all[ref] {
		close(ch)
	}
	delete(ws.all, ref)
}

// Ended returns a channel that is closed when the session ends or changes, and a function that gives it back.
func (m *Manager) Ended(ref string) (<-chan struct{}, func()) {
	ws, ch := m.watch, make(chan struct{})
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.all[ref] == nil {
		ws.all[ref] = map[chan struct{}]bool{}
	}
	ws.all[ref][ch] = true
	return ch, func() {
		ws.mu.Lock()
		defer ws.mu.Unlock()
		delete(ws.all[ref], ch)
		if len(ws.all[ref]) == 0 {
			delete(ws.all, ref)
		}
	}
}
