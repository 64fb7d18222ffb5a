package session

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/hubgate/hubgate/internal/broadcast"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/redisclient"
)

// cache keeps the sessions that this replica has read, and tombstones of those that have ended. It reads the others
// from Redis.
type cache struct {
	sessions   *otter.Cache[string, *cached]
	tombstones *tombstones
	epoch      *connectionEpoch
	store      *store
	clock      *idleClock
	watchers   *broadcast.Watchers
	settings   *atomic.Pointer[Settings]
	state      func() redisclient.State
	seed       maphash.Seed // of fingerprints: a random one, so that a second record with the same cannot be made
	now        func() time.Time

	timedOut atomic.Int64 // when a read last took all of its time, in Unix nanoseconds
}

const maxCached = 100_000

// newSessions returns an empty cache of sessions. An entry stays for as long as it may be used.
func newSessions(settings *atomic.Pointer[Settings]) (*otter.Cache[string, *cached], error) {
	return otter.New(&otter.Options[string, *cached]{
		MaximumSize: maxCached,
		ExpiryCalculator: otter.ExpiryWritingFunc(func(otter.Entry[string, *cached]) time.Duration {
			return max(time.Hour, settings.Load().Config.OutageGrace.D())
		}),
	})
}

// query is one request's lookup of its session.
type query struct {
	ticket   ticket
	ref      string
	host     string
	settings *Settings
	known    *cached // nil if this replica has not read the session
}

func (ch *cache) query(t ticket, site *inbound.Site) query {
	q := query{ticket: t, ref: t.ref(), settings: ch.settings.Load()}
	if site != nil {
		q.host = site.Host
	}
	q.known, _ = ch.sessions.GetIfPresent(q.ref)
	return q
}

// opens reports whether the known session is for this host, issuer, client and key, as the record's seal would.
func (q query) opens() bool {
	s := q.known.session
	return s.Host == q.host && s.Issuer == q.settings.Issuer && s.ClientID == q.settings.ClientID &&
		q.known.key == q.ticket.key
}

// aad returns what the record must be sealed to.
func (q query) aad() []byte {
	if q.known != nil {
		return q.known.aad // equal, because the known session opens
	}
	return binding(q.ref, q.host, q.settings.Issuer, q.settings.ClientID)
}

// trusted returns the session if this replica may use it without asking Redis: it was confirmed within cache_ttl, and
// no end can have been missed since. A session that is idle here is not trusted: another replica may have seen the
// visitor.
func (ch *cache) trusted(q query) (*cached, bool) {
	if q.known == nil || !q.opens() || ch.hasTombstone(q.ref) || ch.clock.expired(q.known) {
		return nil, false
	}
	epoch, last := ch.epoch.current(), q.known.confirmed.Load()
	fresh := ch.now().Sub(last.at) < q.settings.Config.CacheTTL.D()
	return q.known, fresh && epoch != 0 && last.epoch == epoch
}

// usableInOutage reports whether this replica's copy of a session may be used while Redis does not reply. The session
// may have ended since the read began.
func (ch *cache) usableInOutage(q query) bool {
	if q.known == nil || ch.clock.expired(q.known) {
		return false
	}
	return ch.now().Sub(q.known.confirmed.Load().at) < q.settings.Config.OutageGrace.D() && !ch.hasTombstone(q.ref)
}

// confirmed reports whether Redis confirmed a session within outage_grace.
func (ch *cache) confirmed(ref string) bool {
	c, ok := ch.sessions.GetIfPresent(ref)
	return ok && ch.now().Sub(c.confirmed.Load().at) < ch.settings.Load().Config.OutageGrace.D()
}

// confirmation returns what Redis confirms now.
func (ch *cache) confirmation() *confirmation { return &confirmation{ch.now(), ch.epoch.current()} }

// hasTombstone reports whether this replica knows that a session has ended or is missing.
func (ch *cache) hasTombstone(ref string) bool { return ch.tombstones.has(ref, ch.now()) }

// put adds a session, unless it ended while it was being read or a later read has added it already: a load that began
// before the end must not fill the cache.
func (ch *cache) put(ref string, c *cached) {
	ch.sessions.Compute(ref, func(current *cached, found bool) (*cached, otter.ComputeOp) {
		if ch.hasTombstone(ref) {
			return nil, otter.InvalidateOp
		}
		if found && current.confirmed.Load().at.After(c.confirmed.Load().at) {
			return current, otter.CancelOp
		}
		if found && current.seen.Load() > c.seen.Load() { // set here and not saved yet
			c.seen.Store(current.seen.Load())
		}
		return c, otter.WriteOp
	})
}

// markEnded adds a tombstone: the session has ended on this replica, regardless of Redis and of earlier loads.
func (ch *cache) markEnded(ref string) {
	cfg := ch.settings.Load().Config
	ch.addTombstone(ref, tombstone{until: ch.now().Add(cfg.CacheTTL.D() + cfg.OutageGrace.D() + time.Second), ended: true})
}

// markEnding adds a tombstone for the whole lifetime: Redis has not accepted the end, and may not for a long time.
func (ch *cache) markEnding(ref string) {
	ch.addTombstone(ref, tombstone{until: ch.now().Add(ch.settings.Load().Config.Lifetime.D()), ended: true})
}

// markMissing adds a tombstone for cache_ttl: Redis has no record, but may get it back (a backup, a failover).
func (ch *cache) markMissing(ref string) {
	ch.addTombstone(ref, tombstone{until: ch.now().Add(ch.settings.Load().Config.CacheTTL.D())})
}

func (ch *cache) addTombstone(ref string, t tombstone) {
	ch.tombstones.add(ref, t, ch.now())
	ch.invalidate(ref)
}

// invalidate removes a session, so that its next request reads it from Redis.
func (ch *cache) invalidate(ref string) {
	ch.sessions.Invalidate(ref)
	ch.watchers.Notify(ref)
}

// onEvent handles what another replica published: the end or the change of a session.
func (ch *cache) onEvent(payload string) {
	verb, ref, _ := strings.Cut(payload, " ")
	if !isRef(ref) {
		return
	}
	switch verb {
	case "end":
		ch.markEnded(ref)
	case "new":
		ch.invalidate(ref)
	}
}
