package session

import (
	"sync"
	"time"
)

// tombstones are the sessions that this replica knows to have ended. They are kept apart from the cache, which may
// evict any entry: a load that began before an end must not bring the session back.
type tombstones struct {
	mu      sync.RWMutex
	all     map[string]tombstone
	sweepAt int // how many there may be before expired ones are removed
}

type tombstone struct {
	until time.Time
	ended bool // the session was ended; otherwise its record was missing, perhaps because Redis lost it
}

const minSweep = 1024

func newTombstones() *tombstones { return &tombstones{all: map[string]tombstone{}, sweepAt: minSweep} }

func (ts *tombstones) add(ref string, t tombstone, now time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.all[ref] = t
	if len(ts.all) < ts.sweepAt {
		return
	}
	for other, old := range ts.all {
		if !now.Before(old.until) {
			delete(ts.all, other)
		}
	}
	ts.sweepAt = max(minSweep, 2*len(ts.all))
}

func (ts *tombstones) has(ref string, now time.Time) bool {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	t, found := ts.all[ref]
	return found && now.Before(t.until)
}

// ended returns the sessions that were ended recently.
func (ts *tombstones) ended(now time.Time) []string {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	var refs []string
	for ref, t := range ts.all {
		if t.ended && now.Before(t.until) {
			refs = append(refs, ref)
		}
	}
	return refs
}
