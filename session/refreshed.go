package session

import (
	"context"
	"errors"
	"sync"

	"github.com/hubgate/hubgate/internal/background"
)

// refreshed is a refreshed session that is being written to Redis. The provider may have invalidated the old refresh
// token for it (rotation), so a write that fails is retried: an unavailable Redis must not cost the session.
type refreshed struct {
	ticket     ticket
	was        *cached
	next       *Session
	version    uint64 // of the record that it replaces
	revokeOnce sync.Once
}

// refresh asks the provider once. A panic is an error like any other, so that the back-off applies.
func (f *refresher) refresh(ctx context.Context, t ticket, c *cached) (next *cached, err error) {
	defer background.Recover(&err)
	if earlier, ok := f.unsavedRefreshes.Load(t.ref()); ok && earlier.(*refreshed).version == c.version {
		return f.saveRefreshed(ctx, earlier.(*refreshed)) // the provider has responded; Redis did not accept it
	}
	return f.callProvider(ctx, t, c)
}

// callProvider refreshes the tokens and saves them before any request uses them.
func (f *refresher) callProvider(ctx context.Context, t ticket, c *cached) (*cached, error) {
	refreshTokens := f.settings.Load().Refresh
	if refreshTokens == nil {
		return nil, errors.New("session: no refresh function configured")
	}
	s := c.session
	tokens, user, err := refreshTokens(ctx, s.Tokens.Refresh)
	switch {
	case errors.Is(err, ErrRefreshDenied):
		return f.denied(ctx, t, c)
	case err != nil:
		return nil, err
	case user.Subject == "": // without an ID token the claims stay as they were
		user = s.User
	case user.Issuer != s.Issuer || user.Subject != s.Subject: // another user's token (OIDC Core 12.2)
		_ = f.ender.endAndRetry(ctx, ending{ref: s.Ref, reason: "refresh_denied"})
		return nil, &NoSessionError{Reason: RecordMissing}
	}
	next := *s
	next.User, next.Tokens, next.refreshedAt = user, tokens, f.now()
	if tokens.Refresh == "" {
		next.Tokens.Refresh = s.Tokens.Refresh
	}
	if tokens.ID == "" {
		next.Tokens.ID = s.Tokens.ID
	}
	return f.saveRefreshed(ctx, &refreshed{ticket: t, was: c, next: &next, version: c.version})
}

// denied ends a session that the provider will never refresh again, unless another replica has rotated its refresh
// token meanwhile.
func (f *refresher) denied(ctx context.Context, t ticket, c *cached) (*cached, error) {
	latest, err := f.reread(ctx, t, c)
	if err != nil {
		return nil, err
	}
	if latest.session.Tokens.Refresh != c.session.Tokens.Refresh {
		return latest, nil
	}
	_ = f.ender.endAndRetry(ctx, ending{ref: t.ref(), reason: "refresh_denied"})
	return nil, &NoSessionError{Reason: RecordMissing}
}

// saveRefreshed saves a refreshed session, now or when Redis is back.
func (f *refresher) saveRefreshed(ctx context.Context, r *refreshed) (*cached, error) {
	ref := r.next.Ref
	saved, err := f.save(ctx, r)
	switch {
	case errors.Is(err, ErrTooLarge): // a retry would not make it smaller
		f.log.Error("a refreshed session cannot be saved", "error", err, "session", ref)
	case errors.Is(err, ErrNoSession): // it ended meanwhile
	case err != nil:
		if _, waiting := f.unsavedRefreshes.Swap(ref, r); !waiting {
			f.retries.enqueue(retryTask{
				ref:     ref,
				run:     func(ctx context.Context) error { return f.saveLate(ctx, r) },
				dropped: func() { f.unsavedRefreshes.Delete(ref) },
			})
		}
	}
	return saved, err
}

func (f *refresher) saveLate(ctx context.Context, r *refreshed) error {
	_, err := f.save(ctx, r)
	if errors.Is(err, ErrNoSession) {
		return nil
	}
	return err
}

// save writes a refreshed session over the version that was read, and returns the session as Redis has it afterwards:
// this one, or what another replica has written meanwhile.
func (f *refresher) save(ctx context.Context, r *refreshed) (*cached, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	latest := f.cache.confirmation()
	result, err := f.store.replace(ctx, r.ticket, r.next, r.version)
	if err != nil {
		return nil, err
	}
	f.unsavedRefreshes.Delete(r.next.Ref)
	switch result {
	case recordGone: // the session ended during the refresh: its new token is revoked
		if r.next.Tokens.Refresh != r.was.session.Tokens.Refresh {
			r.revokeOnce.Do(func() { f.revoke(ctx, r.next.Tokens.Refresh) }) // a request and a retry may both come here
		}
		f.cache.markEnded(r.next.Ref)
		return nil, &NoSessionError{Reason: RecordMissing}
	case recordChanged: // not revoked: providers revoke all tokens of the same login together
		return f.cache.fetch(ctx, r.ticket, bindingOf(r.was.session))
	}
	_ = f.store.rdb.Del(ctx, f.store.keys.failures(r.next.Ref)).Err()
	_ = f.store.publish(ctx, "new "+r.next.Ref) // replicas that miss it ask Redis after cache_ttl
	saved := &cached{session: r.next, key: r.ticket.key, aad: bindingOf(r.next), version: r.version + 1}
	saved.confirm(latest)
	saved.seen.Store(r.was.seen.Load())
	saved.savedSeen.Store(r.was.savedSeen.Load())
	f.cache.put(r.next.Ref, saved)
	f.cache.watchers.Notify(r.next.Ref)
	return saved, nil
}
