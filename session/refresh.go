package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

const (
	leaseTime    = 10 * time.Second // renewed while the refresh is under way
	refreshTime  = 5 * time.Second
	waitTime     = 2 * time.Second
	waitPoll     = 50 * time.Millisecond
	refreshEarly = time.Minute
	retryFirst   = 5 * time.Second
	retryMost    = time.Minute
)

// due tells whether it is time to refresh: less than a minute, or less than a tenth of its life, is left of the access token.
func (m *Manager) due(s *Session) bool {
	if s.Tokens.Refresh == "" || s.Tokens.AccessExpiry.IsZero() {
		return false
	}
	early := refreshEarly
	if life := s.Tokens.AccessExpiry.Sub(s.refreshedAt); life > 0 {
		early = min(early, life/10)
	}
	return s.Tokens.AccessExpiry.Sub(m.deps.Now()) < early
}

// fresh refreshes a session when it is time, once over all replicas. Whoever waits longer than 2 s goes on with what is still valid.
func (m *Manager) fresh(ctx context.Context, t ticket, c *cached) (*cached, error) {
	if !m.due(c.session) {
		return c, nil
	}
	done := m.flight.DoChan(t.ref(), func() (next any, err error) {
		defer func() { m.logPanic(t.ref(), err) }()
		defer background.Recover(&err) // DoChan has a goroutine of its own, whose panic would end the process (CWE-248)
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTime)
		defer cancel()
		return m.refresh(own, t, c)
	})
	limit := time.NewTimer(waitTime)
	defer limit.Stop()
	select {
	case r := <-done:
		if next, ok := r.Val.(*cached); ok && r.Err == nil {
			return next, nil
		}
		if errors.Is(r.Err, ErrNoSession) {
			return nil, r.Err
		}
		return m.passes(c, r.Err)
	case <-limit.C:
		return m.passes(c, errors.New("the refresh takes long"))
	}
}

// logPanic logs a refresh that panicked, for example at an answer of the provider. It has failed; the session is kept.
func (m *Manager) logPanic(ref string, err error) {
	var panicked *background.Panic
	if errors.As(err, &panicked) {
		m.deps.Log.Error("the refresh of a session panicked; the session is kept", "session", ref, "error", panicked)
	}
}

// passes lets a session go on whose refresh found no answer, until refresh_grace after its access token ended. Then it cannot be told
// whether the user is still wanted; the session is kept for when the provider answers again.
func (m *Manager) passes(c *cached, cause error) (*cached, error) {
	live := m.live.Load()
	if m.deps.Now().Before(c.session.Tokens.AccessExpiry.Add(live.RefreshGrace)) {
		return c, nil
	}
	return nil, fmt.Errorf("session: refresh: %w", cause)
}

// refresh takes the lease, reads the record again, since another replica may have won meanwhile, and asks the provider.
func (m *Manager) refresh(ctx context.Context, t ticket, c *cached) (*cached, error) {
	l := lease{m: m, key: m.store.keys.lease(t.ref()), token: rand.Text()}
	won, err := l.take(ctx)
	if err != nil {
		return nil, err
	}
	if !won {
		return m.await(ctx, t, c)
	}
	stop := l.keep(ctx)
	defer stop() // also after a panic: a lease that is renewed for ever would end all refreshes of the session
	next, wait, err := m.renewed(ctx, t, c)
	stop()
	l.release(ctx, wait)
	return next, err
}

// renewed does the holder's work; wait is for how long nobody shall try again.
func (m *Manager) renewed(ctx context.Context, t ticket, c *cached) (next *cached, wait time.Duration, err error) {
	now, err := m.reread(ctx, t, c)
	if err != nil || !m.due(now.session) {
		return now, 0, err
	}
	if next, err = m.attempt(ctx, t, now); err != nil && !errors.Is(err, ErrNoSession) {
		wait = m.backoff(ctx, t.ref())
	}
	return next, wait, err
}

// attempt refreshes once. A panic is a failure as any other, so that nobody asks again before the back-off has passed.
func (m *Manager) attempt(ctx context.Context, t ticket, now *cached) (next *cached, err error) {
	defer background.Recover(&err)
	if earlier, ok := m.won.Load(t.ref()); ok && earlier.(*renewal).version == now.version {
		return m.adopt(ctx, earlier.(*renewal)) // asked already; Redis did not take the answer
	}
	return m.renew(ctx, t, now)
}

// reread asks Redis, within the time of one request.
func (m *Manager) reread(ctx context.Context, t ticket, c *cached) (*cached, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	now, err := m.read(ctx, t, bindingOf(c.session))
	if err != nil && !errors.Is(err, ErrNoSession) {
		return nil, err
	}
	return now, err
}

// await waits for the winner's result. A lease that begins with "wait" is a back-off after a fault: nobody is refreshing.
func (m *Manager) await(ctx context.Context, t ticket, c *cached) (*cached, error) {
	for {
		holder, err := lease{m: m, key: m.store.keys.lease(t.ref())}.holder(ctx)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(holder, "wait") {
			return nil, errors.New("the provider gave no answer a moment ago")
		}
		now, err := m.reread(ctx, t, c)
		if err != nil || now.version != c.version || holder == "" {
			return now, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(waitPoll):
		}
	}
}

// backoff doubles from 5 s to 60 s while the provider fails, over all replicas: the count is kept beside the lease.
func (m *Manager) backoff(ctx context.Context, ref string) time.Duration {
	ctx, cancel := detached(ctx)
	defer cancel()
	key := m.store.keys.failures(ref)
	n, err := m.deps.Redis.Incr(ctx, key).Result()
	if err != nil {
		return retryFirst
	}
	_ = m.deps.Redis.PExpire(ctx, key, 3*retryMost).Err()
	return min(retryMost, retryFirst<<min(n-1, 8))
}

// renew asks the provider and writes the answer before anybody uses it.
func (m *Manager) renew(ctx context.Context, t ticket, c *cached) (*cached, error) {
	refreshFunc := m.live.Load().Refresh
	if refreshFunc == nil {
		return nil, errors.New("session: there is nobody to refresh with")
	}
	s := c.session
	tokens, user, err := refreshFunc(ctx, s.Tokens.Refresh)
	switch {
	case errors.Is(err, ErrRefreshDenied):
		return m.denied(ctx, t, c)
	case err != nil:
		return nil, err
	case user.Subject == "": // no ID token came with it: the claims stay as they were
		user = s.User
	case user.Issuer != s.Issuer || user.Subject != s.Subject: // RP-23: somebody else's token
		m.end(ctx, ending{ref: s.Ref, reason: "refresh_denied"})
		return nil, &NoSessionError{RecordMissing}
	}
	next := *s
	next.User, next.Tokens, next.refreshedAt = user, tokens, m.deps.Now()
	if tokens.Refresh == "" {
		next.Tokens.Refresh = s.Tokens.Refresh
	}
	if tokens.ID == "" {
		next.Tokens.ID = s.Tokens.ID
	}
	return m.adopt(ctx, &renewal{ticket: t, was: c, next: &next, version: c.version})
}

// denied: the provider will never refresh this token again. Another replica may have rotated it meanwhile; only if not, the session
// ends.
func (m *Manager) denied(ctx context.Context, t ticket, c *cached) (*cached, error) {
	now, err := m.reread(ctx, t, c)
	if err != nil {
		return nil, err
	}
	if now.session.Tokens.Refresh != c.session.Tokens.Refresh {
		return now, nil
	}
	m.end(ctx, ending{ref: t.ref(), reason: "refresh_denied"})
	return nil, &NoSessionError{RecordMissing}
}
