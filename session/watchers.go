package session

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

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

// Open connections are woken a few at a time: each asks Redis, and ten thousand at once would make it look as if it were away.
const (
	wakeAtOnce = 100
	wakeEvery  = 10 * time.Millisecond
)

// wake has every open connection judged anew when the subscription stands again: what ended while it was interrupted was not heard.
func (m *Manager) wake(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.resumed:
		}
		for refs := range slices.Chunk(m.watch.refs(), wakeAtOnce) {
			for _, ref := range refs {
				m.watch.tell(ref)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(wakeEvery):
			}
		}
	}
}

// refs are the sessions that have open connections.
func (ws *watchers) refs() []string {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return slices.Collect(maps.Keys(ws.all))
}

// recheckLeast bounds what open connections cost Redis where requests ask it each time.
const recheckLeast = 5 * time.Second

// Recheck is after what time an open connection asks anew although nothing was heard of its session: what was read is believed no
// longer here than by a request.
func (m *Manager) Recheck() time.Duration {
	return max(m.live.Load().Config.CacheTTL.D(), recheckLeast)
}

// Confirmed tells whether Redis has said within outage_grace that a session lives.
func (m *Manager) Confirmed(ref string) bool {
	c, ok := m.cache.GetIfPresent(ref)
	return ok && m.deps.Now().Sub(c.sight.Load().at) < m.live.Load().Config.OutageGrace.D()
}
