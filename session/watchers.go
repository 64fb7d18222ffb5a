package session

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// watchers are open WebSockets and streams, which are notified when their session ends or changes.
type watchers struct {
	mu      sync.Mutex
	all     map[string]map[chan struct{}]bool
	resumed chan struct{} // receives a value when the subscription comes up
}

func newWatchers() *watchers {
	return &watchers{all: map[string]map[chan struct{}]bool{}, resumed: make(chan struct{}, 1)}
}

// add returns a channel that is closed when the session ends or changes, and a function that removes it.
func (ws *watchers) add(ref string) (<-chan struct{}, func()) {
	ch := make(chan struct{})
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

func (ws *watchers) notify(ref string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for ch := range ws.all[ref] {
		close(ch)
	}
	delete(ws.all, ref)
}

// Open connections are notified a few at a time: each reads its session from Redis, and ten thousand at once would make
// Redis look unavailable.
const (
	notifyAtOnce = 100
	notifyEvery  = 10 * time.Millisecond
)

// loop notifies every open connection when the subscription comes up: an end may have been missed while it was down.
func (ws *watchers) loop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ws.resumed:
		}
		for refs := range slices.Chunk(ws.refs(), notifyAtOnce) {
			for _, ref := range refs {
				ws.notify(ref)
			}
			if !background.Sleep(ctx, notifyEvery) {
				return
			}
		}
	}
}

// refs returns the sessions that have open connections.
func (ws *watchers) refs() []string {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return slices.Collect(maps.Keys(ws.all))
}
