package broadcast

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// Watchers are open WebSockets and streams, which are notified when something that they depend on ends or changes. Its
// name is any text, such as the slot of a session.
type Watchers struct {
	mu      sync.Mutex
	all     map[string]map[chan struct{}]bool
	resumed chan struct{} // receives a value when the subscription comes up
}

// NewWatchers returns Watchers without any.
func NewWatchers() *Watchers {
	return &Watchers{all: map[string]map[chan struct{}]bool{}, resumed: make(chan struct{}, 1)}
}

// Add returns a channel that is closed when the named thing ends or changes, and a function that removes it.
func (ws *Watchers) Add(name string) (<-chan struct{}, func()) {
	ch := make(chan struct{})
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.all[name] == nil {
		ws.all[name] = map[chan struct{}]bool{}
	}
	ws.all[name][ch] = true
	return ch, func() {
		ws.mu.Lock()
		defer ws.mu.Unlock()
		delete(ws.all[name], ch)
		if len(ws.all[name]) == 0 {
			delete(ws.all, name)
		}
	}
}

// Notify notifies all watchers of the name, once.
func (ws *Watchers) Notify(name string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for ch := range ws.all[name] {
		close(ch)
	}
	delete(ws.all, name)
}

// Open connections are notified a few at a time: each reads from Redis, and ten thousand at once would make Redis
// look unavailable.
const (
	notifyAtOnce = 100
	notifyEvery  = 10 * time.Millisecond
)

// Loop notifies all watchers after each Resume: an end or a change may have been missed.
func (ws *Watchers) Loop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ws.resumed:
		}
		for names := range slices.Chunk(ws.names(), notifyAtOnce) {
			for _, name := range names {
				ws.Notify(name)
			}
			if !background.Sleep(ctx, notifyEvery) {
				return
			}
		}
	}
}

// Resume makes Loop notify all watchers, because the subscription came up.
func (ws *Watchers) Resume() {
	select {
	case ws.resumed <- struct{}{}:
	default: // Loop has not begun with the last one
	}
}

// Resuming reports whether Loop has not yet begun to notify all watchers after a Resume.
func (ws *Watchers) Resuming() bool { return len(ws.resumed) > 0 }

// names returns the names that are watched.
func (ws *Watchers) names() []string {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return slices.Collect(maps.Keys(ws.all))
}
