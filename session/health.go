package session

import (
	"context"
	"errors"
	"reflect"
	"time"
)

// interruption is why the subscription does not stand, and since when.
type interruption struct {
	detail string
	since  time.Time
}

// errClock: a session looks idle, and it cannot be told whether it is, for Redis takes no idle clocks.
var errClock = errors.New("session: redis takes no writes, so the idle clock cannot be trusted")

// Health returns the state of Redis as it concerns the sessions.
func (m *Manager) Health() (ok bool, detail string, since time.Time) {
	state, found, deaf := m.deps.Store(), m.found.Load(), m.deaf.Load()
	switch {
	case state.Since.IsZero():
		return true, "not asked yet", m.began
	case state.Down:
		return false, "does not answer: sessions cannot be loaded", state.Since
	case state.ReadOnly:
		return false, "answers, but takes no writes: sessions go on, logins fail", state.Since
	case deaf != nil:
		return false, deaf.detail, deaf.since
	case found != nil && found.TooOld:
		return false, "version " + found.Version + " is too old: hubgate needs Redis 6.2 or newer", state.Since
	case found != nil && found.Version != "":
		detail = ", version " + found.Version
		for _, w := range found.Warnings {
			detail += "; " + w.Text
		}
	}
	return true, "answers" + detail, state.Since
}

// inspect asks a Redis that has come, or come back, what it is, and says what is wrong with it.
func (m *Manager) inspect(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.arrived:
		}
		x, err := Examine(ctx, m.deps.Redis)
		if err != nil {
			continue // it is away again
		}
		if last := m.found.Swap(&x); last != nil && reflect.DeepEqual(*last, x) {
			continue
		}
		switch {
		case x.TooOld:
			m.deps.Log.Error("redis is too old: hubgate needs 6.2 or newer", "version", x.Version)
		case x.Version != "":
			m.deps.Log.Info("redis answers", "version", x.Version)
		}
		for _, w := range x.Warnings {
			m.deps.Log.Warn("redis: "+w.Text, "cure", w.Cure)
		}
	}
}
