package session

import (
	"context"
	"errors"
	"sync"
)

// renewal is a refreshed session on its way into Redis. The provider may have spent the old refresh token for it, so what Redis does
// not take at once is kept: a fault of the store must not cost the session.
type renewal struct {
	ticket  ticket
	was     *cached
	next    *Session
	version uint64 // of the record that it replaces
	given   sync.Once
}

// adopt writes a refreshed session over the version that was read, before anybody uses it.
func (m *Manager) adopt(ctx context.Context, r *renewal) (*cached, error) {
	fresh, err := m.save(ctx, r)
	if errors.Is(err, ErrTooLarge) { // waiting would not make it smaller
		m.deps.Log.Error("a refreshed session cannot be kept", "error", err, "session", r.next.Ref)
		return nil, err
	}
	if errors.Is(err, ErrNoSession) { // it ended meanwhile, and Redis says so
		return nil, err
	}
	if err != nil {
		if _, waiting := m.won.Swap(r.next.Ref, r); !waiting {
			m.later(chore{ending: ending{ref: r.next.Ref}, won: r})
		}
		return nil, err
	}
	return fresh, nil
}

// save returns the session as it is in Redis afterwards: ours, or what another replica has written meanwhile.
func (m *Manager) save(ctx context.Context, r *renewal) (*cached, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	sight := m.sighting()
	outcome, err := m.store.replace(ctx, r.ticket, r.next, r.version)
	if err != nil {
		return nil, err
	}
	m.won.Delete(r.next.Ref)
	switch outcome {
	case recordGone: // it ended while the provider answered: what was won is given back
		if r.next.Tokens.Refresh != r.was.session.Tokens.Refresh {
			r.given.Do(func() { m.deps.Revoke(ctx, r.next.Tokens.Refresh) }) // a request and what was put off may both come here
		}
		m.forget(r.next.Ref)
		return nil, &NoSessionError{RecordMissing}
	case recordChanged: // nothing is given back: a provider that revokes a token revokes those that came of the same login
		return m.read(ctx, r.ticket, bindingOf(r.was.session))
	}
	_ = m.deps.Redis.Del(ctx, m.store.keys.failures(r.next.Ref)).Err()
	// Replicas that miss it ask again after cache_ttl.
	_ = m.store.publish(ctx, "new "+r.next.Ref)
	fresh := &cached{session: r.next, key: r.ticket.key, aad: bindingOf(r.next), version: r.version + 1}
	fresh.sighted(sight)
	fresh.seen.Store(r.was.seen.Load())
	fresh.written.Store(r.was.written.Load())
	m.keep(r.next.Ref, fresh)
	m.watch.tell(r.next.Ref)
	return fresh, nil
}
