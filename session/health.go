package session

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"
)

// health is how Redis was last seen, and since when.
type health struct {
	ok     bool
	detail string
	since  time.Time
}

// errClock: a session looks idle, and it cannot be told whether it is, for Redis takes no idle clocks.
var errClock = errors.New("session: redis takes no writes, so the idle clock cannot be trusted")

// Health tells how Redis was last seen by the sessions.
func (m *Manager) Health() (ok bool, detail string, since time.Time) {
	h, found := m.health.Load(), m.found.Load()
	switch refusal, deaf := m.refusal.Load(), m.deaf.Load(); {
	case !h.ok:
	case refusal != nil:
		h = refusal
	case deaf != nil:
		h = deaf
	case found != nil && found.TooOld:
		h = &health{false, "version " + found.Version + " is too old: hubgate needs Redis 6.2 or newer", h.since}
	case found != nil && found.Version != "":
		detail = h.detail + ", version " + found.Version
		for _, w := range found.Warnings {
			detail += "; " + w.Text
		}
		return true, detail, h.since
	}
	return h.ok, h.detail, h.since
}

// failed notes that Redis did not answer, or took no write, and hands the error on.
func (m *Manager) failed(err error) error {
	if refusesWrites(err) {
		if m.refusal.CompareAndSwap(nil, &health{false, "answers, but takes no writes: sessions go on, logins fail", m.deps.Now()}) {
			m.deps.Log.Error("redis takes no writes", "error", err)
		}
		return err
	}
	if h := m.health.Load(); h.ok {
		m.health.Store(&health{false, "does not answer: sessions cannot be loaded", m.deps.Now()})
		if refusesUs(err) {
			m.deps.Log.Error("redis refuses us: mend the user, the password or the ACL that session.redis names", "error", err)
		} else {
			m.deps.Log.Error("redis does not answer", "error", err)
		}
	}
	return err
}

// answered notes that Redis answered.
func (m *Manager) answered() {
	if h := m.health.Load(); !h.ok || h.detail != "answers" {
		m.health.Store(&health{true, "answers", m.deps.Now()})
	}
}

// wrote notes that Redis took what it takes only when it has room and is the master.
func (m *Manager) wrote() {
	if m.refusal.Swap(nil) != nil {
		m.deps.Log.Info("redis takes writes again")
	}
}

// refusesUs tells the answers of a Redis that does not know us, or does not let us do what we need.
func refusesUs(err error) bool {
	for _, word := range []string{"NOAUTH", "WRONGPASS", "NOPERM"} {
		if strings.Contains(err.Error(), word) {
			return true
		}
	}
	return false
}

// refusesWrites tells the answers of a Redis that is full, cannot save, or is no master any more.
func refusesWrites(err error) bool {
	if err == nil {
		return false
	}
	for _, word := range []string{"OOM", "MISCONF", "READONLY", "NOREPLICAS"} {
		if strings.HasPrefix(err.Error(), word) {
			return true
		}
	}
	return false
}

// probe asks whether Redis is there and takes writes, without anybody waiting for it: else a gateway that nobody logs in to would
// notice neither that a trouble came nor that it went.
func (m *Manager) probe(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	switch err := m.deps.Redis.Set(ctx, m.prefix+"probe", "", time.Second).Err(); {
	case err == nil:
		m.answered()
		m.wrote()
	case ctx.Err() == nil:
		m.failed(err)
	}
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
		m.answered()
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
