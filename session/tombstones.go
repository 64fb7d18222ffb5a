package session

import (
	"sync"
	"time"
)

// tombstones are the sessions of which this replica knows that they are over. They are kept apart from the cache, which evicts what
// it likes: a load that began before an ending must not bring the session back, however full the cache is.
type tombstones struct {
	mu    sync.RWMutex
	all   map[string]tombstone
	sweep int // how many there may be before those are looked for whose time is over
}

type tombstone struct {
	until time.Time
	// ended: somebody ended it. Otherwise its record was not there, which may be Redis' fault and is only remembered for a moment.
	ended bool
}

const sweepFirst = 1024

func newTombstones() *tombstones {
	return &tombstones{all: map[string]tombstone{}, sweep: sweepFirst}
}

func (ts *tombstones) add(ref string, t tombstone, now time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.all[ref] = t
	if len(ts.all) < ts.sweep {
		return
	}
	for other, old := range ts.all {
		if !now.Before(old.until) {
			delete(ts.all, other)
		}
	}
	ts.sweep = max(sweepFirst, 2*len(ts.all))
}

func (ts *tombstones) has(ref string, now time.Time) bool {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	t, found := ts.all[ref]
	return found && now.Before(t.until)
}

// ended lists the sessions that somebody ended a short while ago.
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
