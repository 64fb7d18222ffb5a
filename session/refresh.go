package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	leaseTime    = 10 * time.Second // renewed by nobody: a refresh takes at most refreshTime
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
	done := m.flight.DoChan(t.ref(), func() (any, error) {
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
		if errors.Is(r.Err, ErrNone) {
			return nil, r.Err
		}
		return m.passes(c, r.Err)
	case <-limit.C:
		return m.passes(c, errors.New("the refresh takes long"))
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
	token := rand.Text()
	won, err := m.deps.Redis.SetNX(ctx, m.leaseKey(t.ref()), token, leaseTime).Result()
	if err != nil {
		return nil, m.failed(err)
	}
	if !won {
		return m.await(ctx, t, c)
	}
	now, err := m.read(ctx, t, []byte(c.aad))
	if err != nil || !m.due(now.session) {
		m.release(ctx, t.ref(), token, 0)
		return now, err
	}
	next, err := m.renew(ctx, t, now)
	wait := time.Duration(0)
	if err != nil && !errors.Is(err, ErrNone) {
		wait = m.backoff(ctx, t.ref())
	}
	m.release(ctx, t.ref(), token, wait)
	return next, err
}

// await waits for the winner's result. A lease that begins with "wait" is a back-off after a fault: nobody is refreshing.
func (m *Manager) await(ctx context.Context, t ticket, c *cached) (*cached, error) {
	for {
		holder, err := m.deps.Redis.Get(ctx, m.leaseKey(t.ref())).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, m.failed(err)
		}
		if strings.HasPrefix(holder, "wait") {
			return nil, errors.New("the provider gave no answer a moment ago")
		}
		now, err := m.read(ctx, t, []byte(c.aad))
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

// releaseScript ends the lease if it is still ours, or turns it into a back-off.
var releaseScript = redis.NewScript(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == "0" then return redis.call("DEL", KEYS[1]) end
redis.call("SET", KEYS[1], "wait", "PX", ARGV[2])
return 1`)

func (m *Manager) release(ctx context.Context, ref, token string, wait time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	_ = releaseScript.Run(ctx, m.deps.Redis, []string{m.leaseKey(ref)}, token, wait.Milliseconds()).Err() // it ends by itself
}

// backoff doubles from 5 s to 60 s while the provider fails, over all replicas: the count is kept beside the lease.
func (m *Manager) backoff(ctx context.Context, ref string) time.Duration {
	key := m.leaseKey(ref) + ":n"
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
		m.end(ctx, s.Ref, "refresh_denied")
		return nil, &NoneError{RecordMissing}
	}
	next := *s
	next.User, next.Tokens, next.refreshedAt = user, tokens, m.deps.Now()
	if tokens.Refresh == "" {
		next.Tokens.Refresh = s.Tokens.Refresh
	}
	if tokens.ID == "" {
		next.Tokens.ID = s.Tokens.ID
	}
	return m.adopt(ctx, t, c, &next)
}

// adopt writes a refreshed session over the version that was read.
func (m *Manager) adopt(ctx context.Context, t ticket, c *cached, next *Session) (*cached, error) {
	written, err := m.replace(ctx, t, next, c.version)
	if err != nil {
		return nil, m.failed(err)
	}
	if !written { // it ended while the provider answered: what was won is given back
		if next.Tokens.Refresh != c.session.Tokens.Refresh {
			m.deps.Revoke(ctx, next.Tokens.Refresh)
		}
		return m.read(ctx, t, []byte(c.aad))
	}
	_ = m.deps.Redis.Del(ctx, m.leaseKey(next.Ref)+":n").Err()
	_ = m.deps.Redis.Publish(ctx, m.channel(), "new "+next.Ref).Err() // replicas that miss it ask again after cache_ttl
	fresh := &cached{session: next, version: c.version + 1, aad: c.aad, confirmed: m.deps.Now(), epoch: m.epoch.Load()}
	fresh.seen.Store(c.seen.Load())
	fresh.written.Store(c.written.Load())
	m.keep(next.Ref, fresh)
	m.watch.tell(next.Ref)
	return fresh, nil
}

// denied: the provider will never refresh this token again. Another replica may have rotated it meanwhile; only if not, the session
// ends.
func (m *Manager) denied(ctx context.Context, t ticket, c *cached) (*cached, error) {
	now, err := m.read(ctx, t, []byte(c.aad))
	if err != nil {
		return nil, err
	}
	if now.session.Tokens.Refresh != c.session.Tokens.Refresh {
		return now, nil
	}
	m.end(ctx, t.ref(), "refresh_denied")
	return nil, &NoneError{RecordMissing}
}
