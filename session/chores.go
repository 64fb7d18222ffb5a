package session

import (
	"context"
	"errors"
	"time"
)

// ending is a session's end.
type ending struct {
	ref, reason string
	again       bool      // it was taken before; a fail-over may have lost that
	others      time.Time // not zero: the same user's others that began before it end as well
}

// chore is what Redis did not take at first. One of:
//   - a session's end,
//   - the end of all that is listed under some indexes and began before a time,
//   - the idle clock of a session that was used meanwhile: without it another replica would find the session idle although it was
//     not, and end it for Redis' fault,
//   - a refreshed session: its old refresh token is spent.
type chore struct {
	ending
	indexes []string
	before  time.Time
	clock   *cached
	won     *renewal
}

// later keeps a chore for when Redis is back. Idle clocks leave room for what matters more.
func (m *Manager) later(c chore) {
	if c.clock != nil && len(m.chores) > maxChores/2 {
		return
	}
	select {
	case m.chores <- c:
	default: // the record ends by itself at its time; this replica has its tombstone
		if c.won != nil {
			m.won.Delete(c.won.next.Ref)
		}
		m.deps.Log.Error("too much is waiting for redis; one is dropped", "session", c.ref)
	}
}

// settle does what was put off until Redis takes it. What fails goes to the end of the line: one ending that Redis will never take
// does not keep the others waiting.
func (m *Manager) settle(ctx context.Context) {
	defer m.finish(ctx)
	tick := time.NewTicker(m.settleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-m.chores:
			if m.settled(ctx, c) {
				continue
			}
			m.later(c)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// finish does what can be done at once before the process ends.
func (m *Manager) finish(ctx context.Context) {
	ctx, cancel := detached(ctx)
	defer cancel()
	for {
		select {
		case c := <-m.chores:
			if !m.settled(ctx, c) {
				return
			}
		default:
			return
		}
	}
}

func (m *Manager) settled(ctx context.Context, c chore) bool {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	var err error
	switch {
	case c.clock != nil:
		err = m.catchUp(ctx, c.clock)
	case c.won != nil:
		if _, err = m.save(ctx, c.won); errors.Is(err, ErrNoSession) {
			err = nil // it ended meanwhile
		}
	case c.indexes != nil:
		_, err = m.endListed(ctx, c.indexes, c.before)
	default:
		if _, err = m.remove(ctx, c.ending); err == nil {
			m.forget(c.ref)
		}
	}
	return err == nil
}

// catchUp writes an idle clock late, unless another replica has moved it further meanwhile.
func (m *Manager) catchUp(ctx context.Context, c *cached) error {
	seen := c.seen.Load()
	u, known, err := m.store.summary(ctx, c.session.Ref)
	if err != nil || known && u.Seen >= seen {
		return err
	}
	return m.store.saveSummary(ctx, c.session, seen)
}

// endAgain makes sure of what ended a short while ago: a fail-over loses what the old master had not passed on, and would bring ended
// sessions back.
func (m *Manager) endAgain() {
	for _, ref := range m.over.ended(m.deps.Now()) {
		if len(m.chores) > maxChores/2 {
			return
		}
		m.later(chore{ending: ending{ref: ref, reason: "revoked", again: true}})
	}
}
