package session

import (
	"context"
	"errors"
	"hash/maphash"
	"sync/atomic"
	"time"
)

// idleClock records when each visitor was last seen: in the cached session at once, in Redis less often.
type idleClock struct {
	store    *store
	retries  *retryQueue
	settings *atomic.Pointer[Settings]
	seed     maphash.Seed
	now      func() time.Time
}

// errIdleUnknown means that a session may only look idle: a read-only Redis lacks the idle clocks of other replicas.
var errIdleUnknown = errors.New("session: redis is read-only, so the idle time is unknown")

// expired reports whether a session has reached idle_timeout.
func (k *idleClock) expired(c *cached) bool {
	limit := k.settings.Load().Config.IdleTimeout.D()
	return limit > 0 && k.now().Sub(c.lastSeen()) >= limit
}

// read takes the idle clock from a stored summary. If the summary is missing or damaged, it is unknown when another
// replica last saw the visitor, and a session ends only on evidence: the clock starts again now, once, and is saved.
// Starting again at every read would let a page that polls keep the session alive.
func (k *idleClock) read(c *cached, ref, sealed string) {
	fingerprint := maphash.String(k.seed, sealed)
	if sealed != "" && c.summaryFingerprint.Load() == fingerprint {
		return // unchanged
	}
	if u, err := decodeSummary(k.store.ring, ref, []byte(sealed)); err == nil {
		advance(&c.seen, u.Seen)
		advance(&c.savedSeen, u.Seen)
		c.summaryFingerprint.Store(fingerprint)
		return
	}
	if c.summaryFingerprint.Swap(0) != 0 || c.seen.Load() == 0 {
		c.seen.Store(k.now().UnixMilli())
		c.savedSeen.Store(0)
	}
}

// touch sets the idle clock to now. It saves it at most once per tenth of idle_timeout.
func (k *idleClock) touch(ctx context.Context, c *cached) {
	c.seen.Store(k.now().UnixMilli())
	if k.saveDue(c) {
		k.save(ctx, c)
	}
}

// saveDue reports whether it is time to save the idle clock.
func (k *idleClock) saveDue(c *cached) bool {
	every := 5 * time.Minute
	if idle := k.settings.Load().Config.IdleTimeout.D(); idle > 0 {
		every = max(time.Second, idle/10)
	}
	return k.now().UnixMilli()-c.savedSeen.Load() >= every.Milliseconds()
}

// save writes the idle clock to Redis, now or later. Without it another replica would end the session as idle.
func (k *idleClock) save(ctx context.Context, c *cached) {
	seen, saved := c.seen.Load(), c.savedSeen.Load()
	if !c.savedSeen.CompareAndSwap(saved, seen) {
		return
	}
	if err := k.store.saveSummary(ctx, c.session, seen); err != nil {
		k.retries.enqueue(retryTask{ref: c.session.Ref, optional: true, run: func(ctx context.Context) error {
			return k.saveLate(ctx, c)
		}})
	}
}

// saveLate writes the idle clock unless another replica has saved a later one meanwhile. When several replicas save
// late at once, as after an outage, the latest wins: otherwise the visitor's idle time would start too early.
func (k *idleClock) saveLate(ctx context.Context, c *cached) error {
	for {
		seen := c.seen.Load()
		u, stored, known, err := k.store.summary(ctx, c.session.Ref)
		if err != nil || known && u.Seen >= seen {
			return err
		}
		if err = k.store.replaceSummary(ctx, c.session, seen, stored); !errors.Is(err, errSummaryChanged) {
			return err
		}
	}
}
