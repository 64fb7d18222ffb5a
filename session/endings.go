package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/inbound"
)

// End ends the request's session and expires its cookie, whatever else fails: a logout always logs out this browser.
// An error other than ErrNoSession means that Redis did not take the end yet: it is retried until Redis does. The session
// is returned whenever it is known.
func (m *Manager) End(w http.ResponseWriter, r *http.Request) (*Session, error) {
	return m.logout(w, r, time.Time{})
}

// EndEverywhere is End for a visitor who wants all their sessions to end. Whose they are, the caller tells EndUser by
// the session that is returned; when it cannot be told now, they end once Redis is back.
func (m *Manager) EndEverywhere(w http.ResponseWriter, r *http.Request) (*Session, error) {
	return m.logout(w, r, m.deps.Now())
}

// logout ends the request's session and, when it cannot be read and others is not zero, the user's others that began
// before it.
func (m *Manager) logout(w http.ResponseWriter, r *http.Request, others time.Time) (*Session, error) {
	m.expireCookie(w, r)
	t, err := m.ticketOf(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := detached(r.Context())
	defer cancel()
	c, err := m.get(ctx, m.ask(t, inbound.Of(r).Site))
	switch {
	case errors.Is(err, ErrNoSession):
		return nil, err
	case err != nil:
		m.end(ctx, ending{ref: t.ref(), reason: "logout", others: others})
		return nil, err
	}
	if err := m.end(ctx, ending{ref: t.ref(), reason: "logout"}); err != nil {
		return c.session, fmt.Errorf("session: end: %w", err)
	}
	return c.session, nil
}

// EndRef ends one session by its name; false when there is none.
func (m *Manager) EndRef(ctx context.Context, ref string) (bool, error) {
	if !isRef(ref) {
		return false, nil
	}
	existed, err := m.endRef(ctx, ref)
	if err != nil {
		return false, fmt.Errorf("session: end: %w", err)
	}
	return existed, nil
}

func (m *Manager) endRef(ctx context.Context, ref string) (bool, error) {
	existed, err := m.remove(ctx, ending{ref: ref, reason: "revoked"})
	if err != nil {
		return false, err
	}
	m.forget(ref)
	return existed, nil
}

// EndUser ends every session of a user. When Redis is away it says so, and ends those that live now once Redis is back.
func (m *Manager) EndUser(ctx context.Context, issuer, subject string) (int, error) {
	return m.endUntil(ctx, m.store.keys.user(issuer, subject))
}

// EndByEmail ends every session that was made with this e-mail.
func (m *Manager) EndByEmail(ctx context.Context, email string) (int, error) {
	return m.endAll(ctx, m.store.keys.email(email))
}

// EndSID ends the sessions of one session of the provider: back-channel logout. Like EndUser it goes on when Redis is
// back.
func (m *Manager) EndSID(ctx context.Context, issuer, sid string) (int, error) {
	return m.endUntil(ctx, m.store.keys.sid(issuer, sid))
}

func (m *Manager) endUntil(ctx context.Context, indexes []string) (int, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	now := m.deps.Now()
	n, err := m.endAll(ctx, indexes)
	if err != nil {
		m.later(chore{indexes: indexes, before: now})
	}
	return n, err
}

func (m *Manager) endAll(ctx context.Context, indexes []string) (int, error) {
	n, err := m.endListed(ctx, indexes, time.Time{})
	if err != nil {
		return n, fmt.Errorf("session: end: %w", err)
	}
	return n, nil
}

// endListed ends what is listed under some indexes; with a time, only what began before it.
func (m *Manager) endListed(ctx context.Context, indexes []string, before time.Time) (int, error) {
	n := 0
	for _, key := range indexes {
		for removed := -1; removed != 0; { // until none is left: others may change the list while it is read
			var existed int
			var err error
			existed, removed, err = m.endOnce(ctx, key, before)
			if n += existed; err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// endOnce reads an index once and ends what it lists. It returns how many sessions existed and how many entries it
// removed.
func (m *Manager) endOnce(ctx context.Context, key string, before time.Time) (existed, removed int, err error) {
	var refs []string // all of them, before any is removed
	err = m.store.members(ctx, key, func(z redis.Z) { refs = append(refs, z.Member.(string)) })
	if isWrongType(err) {
		err = m.store.removeMistyped(ctx, key)
	}
	for i := 0; err == nil && i < len(refs); i++ {
		var later, existing bool
		if later, err = m.beganAfter(ctx, refs[i], before); err != nil || later {
			continue
		}
		if existing, err = m.endRef(ctx, refs[i]); err != nil {
			break
		}
		if existing {
			existed++
		}
		removed++
		err = m.deps.Redis.ZRem(ctx, key, refs[i]).Err()
	}
	return existed, removed, err
}

// beganAfter tells whether a session began after a time: one that was asked to end while Redis was away is not the
// one that the same person has begun since.
func (m *Manager) beganAfter(ctx context.Context, ref string, at time.Time) (bool, error) {
	if at.IsZero() {
		return false, nil
	}
	u, known, err := m.store.summary(ctx, ref)
	return known && fromMillis(u.Created).After(at), err
}

// end deletes a session: record, then index. What Redis does not take now is done later; this replica knows at once.
func (m *Manager) end(ctx context.Context, e ending) error {
	m.forget(e.ref)
	_, err := m.remove(ctx, e)
	if err != nil {
		m.owe(chore{ending: e})
	}
	return err
}

// remove deletes the record and tells every replica.
func (m *Manager) remove(ctx context.Context, e ending) (existed bool, err error) {
	u, known, err := m.store.summary(ctx, e.ref)
	if err != nil {
		return false, err
	}
	if !e.others.IsZero() && known { // first: once the summary is gone nobody can tell whose they are
		if _, err := m.endListed(ctx, m.store.keys.user(u.Issuer, u.Subject), e.others); err != nil {
			return false, err
		}
	}
	existed, err = m.store.remove(ctx, e.ref)
	if err != nil || e.again && !existed {
		return false, err
	}
	if err := m.store.publish(ctx, "end "+e.ref); err != nil {
		return false, err
	}
	if existed {
		m.deps.Metrics.ended.WithLabelValues(e.reason).Inc()
		m.deps.Audit.InfoContext(ctx, "session ended", "action", "session_end", "outcome", "success",
			"reason", e.reason, "session", e.ref, "email", u.Email)
	}
	if known {
		m.store.removeFromLists(ctx, u.session(e.ref))
	}
	return existed, nil
}
