package session

import (
	"context"
	"errors"
	"net/http"

	"github.com/hubgate/hubgate/internal/inbound"
)

// Load returns the request's session, refreshes it when it is time, and sets its idle clock. ErrNoSession (a
// *NoSessionError with the reason) means "not logged in"; every other error means "unknown".
func (m *Manager) Load(w http.ResponseWriter, r *http.Request) (*Session, error) {
	s, err := m.load(r, true)
	if errors.Is(err, errTwoCookies) {
		m.cookies.expire(w, r)
	}
	return s, err
}

// Peek is Load without setting the idle clock: a page that polls must not keep a session alive.
func (m *Manager) Peek(r *http.Request) (*Session, error) { return m.load(r, false) }

func (m *Manager) load(r *http.Request, touch bool) (*Session, error) {
	// 1. The cookie names the session and holds the visitor's key.
	t, err := m.cookies.ticket(r)
	if err != nil {
		return nil, err
	}
	q := m.cache.query(t, inbound.Of(r).Site)

	// 2. For most requests the cache has the session, and there is nothing to write: Redis is not asked.
	if c, ok := m.cache.trusted(q); ok && !m.refresher.due(c.session) && !(touch && m.clock.saveDue(c)) {
		m.deps.Metrics.hit.Inc()
		if err := m.checkExpiry(c); err != nil {
			return nil, err
		}
		if touch {
			c.seen.Store(m.deps.Now().UnixMilli())
		}
		return c.session, nil
	}
	ctx, cancel := detached(r.Context())
	defer cancel()

	// 3. Otherwise the session comes from the cache or from Redis.
	c, err := m.find(ctx, q)
	if err != nil {
		return nil, err
	}

	// 4. It has neither reached its absolute end nor been idle for too long.
	if err := m.checkExpiry(c); err != nil {
		return nil, err
	}

	// 5. Its tokens are refreshed when it is time.
	if c, err = m.refresher.refreshIfDue(ctx, t, c); err != nil {
		return nil, err
	}

	// 6. The idle clock records this request.
	switch {
	case touch:
		m.clock.touch(ctx, c)
	case c.savedSeen.Load() == 0: // Redis has lost it
		m.clock.save(ctx, c)
	}
	return c.session, nil
}

// find returns a session from the cache while that may be trusted, else from Redis, else, while Redis does not reply,
// from the cache within outage_grace.
func (m *Manager) find(ctx context.Context, q query) (*cached, error) {
	if m.cache.hasTombstone(q.ref) || (q.known != nil && !q.opens()) {
		return nil, &NoSessionError{Reason: RecordMissing}
	}
	if c, ok := m.cache.trusted(q); ok {
		m.deps.Metrics.hit.Inc()
		return c, nil
	}
	c, err := m.cache.fetchWithRetry(ctx, q)
	switch {
	case err == nil:
		m.deps.Metrics.miss.Inc()
		return c, nil
	case errors.Is(err, errUnreadable): // another cookie, host or client may open it
		return nil, err
	case errors.Is(err, ErrNoSession):
		m.cache.markMissing(q.ref)
		return nil, err
	case m.cache.usableInOutage(q):
		m.deps.Metrics.stale.Inc()
		return q.known, nil
	}
	return nil, err
}

// checkExpiry checks a session against this server's clock: its absolute end, the lifetime and the idle timeout as they
// are configured now (CWE-613).
func (m *Manager) checkExpiry(c *cached) error {
	s, now := c.session, m.deps.Now()
	end := s.ExpiresAt
	if shorter := s.CreatedAt.Add(m.settings.Load().Config.Lifetime.D()); shorter.Before(end) {
		end = shorter
	}
	switch {
	case !now.Before(end):
		m.ender.endLater(ending{ref: s.Ref, reason: "expired"})
		return &NoSessionError{Reason: Expired}
	case !m.clock.expired(c):
		return nil
	case m.deps.Store().ReadOnly:
		return errIdleUnknown
	}
	m.ender.endLater(ending{ref: s.Ref, reason: "idle"})
	return &NoSessionError{Reason: Expired}
}
