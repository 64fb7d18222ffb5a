package session

import "sync"

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
