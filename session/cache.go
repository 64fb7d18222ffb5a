package session

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/hubgate/hubgate/internal/inbound"
)

// query is what one request wants to know.
type query struct {
	ticket ticket
	ref    string
	host   string
	live   *Settings
	known  *cached // nil when this replica has not seen the session
}

func (m *Manager) ask(t ticket, site *inbound.Site) query {
	q := query{ticket: t, ref: t.ref(), live: m.live.Load()}
	if site != nil {
		q.host = site.Host
	}
	q.known, _ = m.cache.GetIfPresent(q.ref)
	return q
}

// opens tells whether the known session is for this host, pool, client and key, as the record's seal would.
func (q query) opens() bool {
	s := q.known.session
	return s.Host == q.host && s.Issuer == q.live.Issuer && s.ClientID == q.live.ClientID && q.known.key == q.ticket.key
}

// remembered returns the session when this replica may answer by itself.
func (m *Manager) remembered(q query) (*cached, bool) {
	if q.known == nil || !q.opens() || !m.trusts(q.known, q.live) || m.over.has(q.ref, m.deps.Now()) {
		return nil, false
	}
	return q.known, !m.idle(q.known) // idle here: another replica may have seen the visitor
}

// get returns the session of a ticket: from the cache while that may be trusted, else from Redis, else, when Redis
// gives no answer, from the cache within outage_grace.
func (m *Manager) get(ctx context.Context, q query) (*cached, error) {
	if m.over.has(q.ref, m.deps.Now()) || (q.known != nil && !q.opens()) {
		return nil, &NoSessionError{RecordMissing}
	}
	if c, ok := m.remembered(q); ok {
		m.deps.Metrics.hit.Inc()
		return c, m.valid(c)
	}
	var aad []byte // what the record must be sealed to
	if q.known != nil {
		aad = q.known.aad // the same, for it opens
	} else {
		aad = binding(q.ref, q.host, q.live.Issuer, q.live.ClientID)
	}
	c, err := m.readPatiently(ctx, q, aad)
	switch {
	case err == nil:
		m.deps.Metrics.miss.Inc()
		return c, m.valid(c)
	case err == error(errUnreadable): // for this key, host or client; another may open it
		return nil, err
	case errors.Is(err, ErrNoSession):
		m.lost(q.ref)
		return nil, err
	}
	if m.bridges(q) {
		m.deps.Metrics.stale.Inc()
		return q.known, m.valid(q.known)
	}
	return nil, err
}

// bridges reports whether this replica's copy of a session may stand in for Redis' answer. The session may have ended
// while the answer was waited for.
func (m *Manager) bridges(q query) bool {
	if q.known == nil || m.idle(q.known) {
		return false
	}
	now := m.deps.Now()
	return now.Sub(q.known.sight.Load().at) < q.live.Config.OutageGrace.D() && !m.over.has(q.ref, now)
}

const (
	readTime     = time.Second           // bounds reading a session from Redis, repeats included
	readPause    = 20 * time.Millisecond // before the first repeat; it doubles
	readPauseMax = 200 * time.Millisecond

	briefFor  = time.Second            // after a read that took all of its time in vain
	briefTime = 200 * time.Millisecond // bounds a read of that time
)

// readPatiently reads a session and tries again after a failure, for one that is over in a moment (a connection that
// broke, a fail-over) should cost nobody a page. While Redis is known to be down nobody waits for it. When it was
// waited for in vain a moment ago, a session that this replica can bridge has one short try only: else each page would
// take all of the time, until the probe has found out what is wrong.
func (m *Manager) readPatiently(ctx context.Context, q query, aad []byte) (c *cached, err error) {
	limit, brief := readTime, m.waitedInVain() && m.bridges(q)
	if brief {
		limit = briefTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = errDown
	for pause := readPause; !m.deps.Store().Down; pause = min(2*pause, readPauseMax) {
		if c, err = m.read(ctx, q.ticket, aad); err == nil || errors.Is(err, ErrNoSession) || brief {
			return c, err
		}
		select {
		case <-ctx.Done():
			now := m.deps.Now()
			m.inVain.Store(&now)
			return nil, err
		case <-time.After(pause):
		}
	}
	return nil, err
}

// waitedInVain reports whether a read has taken all of its time within the last second.
func (m *Manager) waitedInVain() bool {
	at := m.inVain.Load()
	if at == nil {
		return false
	}
	since := m.deps.Now().Sub(*at)
	return since >= 0 && since < briefFor // below 0: the clock was set back
}

// errDown means that Redis was not asked, since it is known to be down.
var errDown = errors.New("session: redis is unavailable")

// trusts: confirmed within cache_ttl, and no ending can have been missed since.
func (m *Manager) trusts(c *cached, live *Settings) bool {
	epoch, last := m.epoch.Load(), c.sight.Load()
	return epoch%2 == 0 && last.epoch == epoch && m.deps.Now().Sub(last.at) < live.Config.CacheTTL.D()
}

// errUnreadable: there is a record, and this cookie does not open it.
var errUnreadable = &NoSessionError{RecordMissing}

// read asks Redis for record and summary in one round trip.
func (m *Manager) read(ctx context.Context, t ticket, aad []byte) (*cached, error) {
	ref, sight := t.ref(), m.sighting()
	values, err := m.store.reads.get(ctx, m.store.keys.record(ref), m.store.keys.summary(ref))
	if err != nil {
		return nil, err
	}
	stored := values[0]
	if stored == "" {
		return nil, &NoSessionError{RecordMissing}
	}
	c, err := m.open(t, stored, aad)
	if err != nil {
		m.deps.Metrics.unreadable.Inc()
		return nil, errUnreadable
	}
	kept := c.sight.Load() != nil
	c.sighted(sight)
	m.readClock(c, ref, values[1])
	if !kept {
		m.keep(ref, c)
	}
	return c, nil
}

// open opens a stored record, unless this replica has opened the very same before with the same key for the same host, pool and
// client. The print is keyed by a seed of this process, so nobody can make another record that has it.
func (m *Manager) open(t ticket, stored string, aad []byte) (*cached, error) {
	ref, print := t.ref(), maphash.String(m.seed, stored)
	if known, ok := m.cache.GetIfPresent(ref); ok && known.print == print && known.key == t.key &&
		bytes.Equal(aad, known.aad) {
		return known, nil
	}
	s, version, err := decodeRecord(m.deps.Ring, t, []byte(stored), aad)
	if err != nil {
		return nil, err
	}
	m.deps.Metrics.size.Observe(float64(len(stored)))
	return &cached{session: s, key: t.key, aad: aad, version: version, print: print}, nil
}

// readClock takes the idle clock from the summary. One that is gone or damaged says nothing about when the visitor was last seen
// elsewhere, and what ends a session must be known: the clock starts anew, once, and is written. Did it start at each look, a page that
// asks every minute who is there would keep the session alive.
func (m *Manager) readClock(c *cached, ref, sealed string) {
	print := maphash.String(m.seed, sealed)
	if sealed != "" && c.clock.Load() == print {
		return // as it was
	}
	if u, err := decodeSummary(m.deps.Ring, ref, []byte(sealed)); err == nil {
		advance(&c.seen, u.Seen)
		advance(&c.written, u.Seen)
		c.clock.Store(print)
		return
	}
	if c.clock.Swap(0) != 0 || c.seen.Load() == 0 {
		c.seen.Store(m.deps.Now().UnixMilli())
		c.written.Store(0)
	}
}

// keep puts a session into the cache, unless it ended while it was being read, or a later look at it is there already: a load that
// began before the ending may not fill the cache.
func (m *Manager) keep(ref string, c *cached) {
	m.cache.Compute(ref, func(now *cached, found bool) (*cached, otter.ComputeOp) {
		if m.over.has(ref, m.deps.Now()) {
			return nil, otter.InvalidateOp
		}
		if found && now.sight.Load().at.After(c.sight.Load().at) {
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
	c.seen.Store(m.deps.Now().UnixMilli())
	if m.clockDue(c) {
		m.noteClock(ctx, c)
	}
}

// noteClock writes the idle clock as it is.
func (m *Manager) noteClock(ctx context.Context, c *cached) {
	seen, written := c.seen.Load(), c.written.Load()
	if !c.written.CompareAndSwap(written, seen) {
		return
	}
	if err := m.store.saveSummary(ctx, c.session, seen); err != nil {
		m.later(chore{ending: ending{ref: c.session.Ref}, clock: c})
	}
}

// clockDue tells whether the idle clock is to be written.
func (m *Manager) clockDue(c *cached) bool {
	every := 5 * time.Minute
	if idle := m.live.Load().Config.IdleTimeout.D(); idle > 0 {
		every = max(time.Second, idle/10)
	}
	return m.deps.Now().UnixMilli()-c.written.Load() >= every.Milliseconds()
}
