package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
)

// End ends the request's session and always expires its cookie, so that a logout logs out this browser in any case.
// An error other than ErrNoSession means that Redis has not accepted the end yet; it is retried. End returns the
// session whenever it is known.
func (m *Manager) End(w http.ResponseWriter, r *http.Request) (*Session, error) {
	return m.logout(w, r, time.Time{})
}

// EndEverywhere is End for a visitor who wants all their sessions to end. The caller passes the returned session's user
// to EndUser. If the session cannot be read now, the user's sessions end when Redis is back.
func (m *Manager) EndEverywhere(w http.ResponseWriter, r *http.Request) (*Session, error) {
	return m.logout(w, r, m.deps.Now())
}

// logout ends the request's session. If it cannot be read and others is set, the user's other sessions that began
// before that time end later as well.
func (m *Manager) logout(w http.ResponseWriter, r *http.Request, others time.Time) (*Session, error) {
	m.cookies.expire(w, r)
	t, err := m.cookies.ticket(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := detached(r.Context())
	defer cancel()
	c, err := m.find(ctx, m.cache.query(t, inbound.Of(r).Site))
	if err == nil {
		err = m.checkExpiry(c)
	}
	switch {
	case errors.Is(err, ErrNoSession):
		return nil, err
	case err != nil:
		_ = m.ender.endAndRetry(ctx, ending{ref: t.ref(), reason: "logout", others: others})
		return nil, err
	}
	if err := m.ender.endAndRetry(ctx, ending{ref: t.ref(), reason: "logout"}); err != nil {
		return c.session, fmt.Errorf("session: end: %w", err)
	}
	return c.session, nil
}

// EndRef ends a session by its name and reports whether it existed.
func (m *Manager) EndRef(ctx context.Context, ref string) (bool, error) {
	if !isRef(ref) {
		return false, nil
	}
	existed, err := m.ender.end(ctx, ending{ref: ref, reason: "revoked"})
	if err != nil {
		return false, fmt.Errorf("session: end: %w", err)
	}
	return existed, nil
}

// EndUser ends all sessions of a user and returns how many. After an error the sessions that have begun until now end
// when Redis is back.
func (m *Manager) EndUser(ctx context.Context, issuer, subject string) (int, error) {
	return m.ender.endAllAndRetry(ctx, m.store.keys.user(issuer, subject))
}

// EndByEmail ends all sessions with this email address and returns how many. After an error nothing is retried: the
// operator is told.
func (m *Manager) EndByEmail(ctx context.Context, email string) (int, error) {
	return m.ender.endAll(ctx, m.store.keys.email(email))
}

// EndSID ends the sessions that belong to one session of the provider (back-channel logout). After an error it
// continues like EndUser.
func (m *Manager) EndSID(ctx context.Context, issuer, sid string) (int, error) {
	return m.ender.endAllAndRetry(ctx, m.store.keys.sid(issuer, sid))
}
