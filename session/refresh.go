package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/lease"
)

// refresher refreshes sessions at the provider, each by one replica at a time.
type refresher struct {
	store    *store
	cache    *cache
	ender    *ender
	retries  *retryQueue
	settings *atomic.Pointer[Settings]
	revoke   func(ctx context.Context, refreshToken string)
	log      *slog.Logger
	now      func() time.Time

	flight           singleflight.Group
	unsavedRefreshes sync.Map // ref -> *refreshed: those that Redis has not accepted yet
}

const (
	leaseTime    = 10 * time.Second // renewed during the refresh
	refreshTime  = 5 * time.Second  // bounds a refresh
	waitTime     = 2 * time.Second  // bounds how long a request waits for a refresh
	waitPoll     = 50 * time.Millisecond
	refreshEarly = time.Minute
	retryFirst   = 5 * time.Second
	retryMost    = time.Minute
)

// due reports whether it is time to refresh: less than a minute, or less than a tenth of its life, is left of the
// access token.
func (f *refresher) due(s *Session) bool {
	if s.Tokens.Refresh == "" || s.Tokens.AccessExpiry.IsZero() {
		return false
	}
	early := refreshEarly
	if life := s.Tokens.AccessExpiry.Sub(s.refreshedAt); life > 0 {
		early = min(early, life/10)
	}
	return s.Tokens.AccessExpiry.Sub(f.now()) < early
}

// refreshIfDue refreshes a session when it is time. Concurrent requests share one refresh. It waits at most waitTime,
// then returns the session as it is if that is still valid.
func (f *refresher) refreshIfDue(ctx context.Context, t ticket, c *cached) (*cached, error) {
	if !f.due(c.session) {
		return c, nil
	}
	done := f.flight.DoChan(t.ref(), func() (next any, err error) {
		defer func() {
			if panicked := (*background.Panic)(nil); errors.As(err, &panicked) { // such as on an unexpected response
				f.log.Error("the refresh of a session panicked; the session is kept", "session", t.ref(), "error", panicked)
			}
		}()
		defer background.Recover(&err) // a panic in DoChan's own goroutine would end the process (CWE-248)
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTime)
		defer cancel()
		return f.refreshUnderLease(own, t, c)
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
		return f.withinGrace(c, r.Err)
	case <-limit.C:
		return f.withinGrace(c, errors.New("the refresh takes too long"))
	}
}

// withinGrace returns a session that could not be refreshed until refresh_grace after its access token has expired.
// After that it is unknown whether the user still has access; the session is kept.
func (f *refresher) withinGrace(c *cached, cause error) (*cached, error) {
	if f.now().Before(c.session.Tokens.AccessExpiry.Add(f.settings.Load().RefreshGrace)) {
		return c, nil
	}
	return nil, fmt.Errorf("session: refresh: %w", cause)
}

// refreshUnderLease refreshes a session if this replica acquires its lease; otherwise it waits for the holder.
func (f *refresher) refreshUnderLease(ctx context.Context, t ticket, c *cached) (*cached, error) {
	l := lease.Lease{Redis: f.store.rdb, Key: f.store.keys.lease(t.ref()), Token: rand.Text(), TTL: leaseTime}
	acquired, err := within(ctx, l.Acquire)
	if err != nil {
		return nil, err
	}
	if !acquired {
		return f.awaitHolder(ctx, l, t, c)
	}
	stop := l.KeepAlive(ctx)
	defer stop() // also after a panic: a lease that is renewed forever would stop all refreshes of the session
	var wait time.Duration
	latest, err := f.reread(ctx, t, c) // another replica may have refreshed it meanwhile
	if err == nil && f.due(latest.session) {
		if latest, err = f.refresh(ctx, t, latest); err != nil && !errors.Is(err, ErrNoSession) {
			wait = f.backoff(ctx, t.ref())
		}
	}
	stop()
	release(ctx, l, wait)
	return latest, err
}

// within calls a function that asks Redis, bounded by storeTime.
func within[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	return ask(ctx)
}

// release releases a lease, after a back-off if wait is not 0. Errors are ignored: the lease ends on its own.
func release(ctx context.Context, l lease.Lease, wait time.Duration) {
	ctx, cancel := detached(ctx)
	defer cancel()
	_ = l.ReleaseAfter(ctx, wait)
}

// reread reads a session from Redis.
func (f *refresher) reread(ctx context.Context, t ticket, c *cached) (*cached, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	return f.cache.fetch(ctx, t, bindingOf(c.session))
}

// awaitHolder waits until the holder of the lease has refreshed the session.
func (f *refresher) awaitHolder(ctx context.Context, l lease.Lease, t ticket, c *cached) (*cached, error) {
	for {
		holder, err := within(ctx, l.Holder)
		if err != nil {
			return nil, err
		}
		if holder == lease.Blocked {
			return nil, errors.New("the last refresh failed a moment ago")
		}
		latest, err := f.reread(ctx, t, c)
		if err != nil || latest.version != c.version || holder == "" {
			return latest, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(waitPoll):
		}
	}
}

// backoff returns how long no replica may try again: 5 s after the first failure, doubling up to 60 s. Redis counts the
// failures beside the lease.
func (f *refresher) backoff(ctx context.Context, ref string) time.Duration {
	ctx, cancel := detached(ctx)
	defer cancel()
	key := f.store.keys.failures(ref)
	n, err := f.store.rdb.Incr(ctx, key).Result()
	if err != nil {
		return retryFirst
	}
	_ = f.store.rdb.PExpire(ctx, key, 3*retryMost).Err()
	return min(retryMost, retryFirst<<min(n-1, 8))
}
