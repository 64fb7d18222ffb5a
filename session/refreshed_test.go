package session

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// strict is a provider that rotates refresh tokens without grace: it denies a used one.
type strict struct {
	w     *world
	valid string
	calls atomic.Int32
	hook  func() // runs before it responds
}

func (p *strict) refresh(_ context.Context, token string) (Tokens, User, error) {
	p.calls.Add(1)
	if token != p.valid {
		return Tokens{}, User{}, ErrRefreshDenied
	}
	p.valid += "+"
	if p.hook != nil {
		p.hook()
	}
	return Tokens{Access: "a", Refresh: p.valid, AccessExpiry: p.w.clock.Now().Add(time.Hour)}, ada().User, nil
}

func TestUnsavedRefreshIsSavedWhenRedisIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &strict{w: w, valid: "refresh-secret", hook: func() { w.redis.SetError("ERR down") }}
	m, other := w.replica(p.refresh), w.replica(p.refresh)
	cookie, _ := w.login(m, w.shortLived())
	w.clock.pass(59*time.Minute + 30*time.Second)
	if got := w.reason(m, cookie); got != "" {
		t.Fatalf("the old access token is still valid: %q", got)
	}
	p.hook = nil
	w.redis.SetError("")
	w.subscribed(m) // it runs from here on
	w.eventually("Redis has the new token", func() bool {
		_, waiting := m.refresher.unsavedRefreshes.Load(ref(t, w, cookie.Value))
		return !waiting
	})
	w.clock.pass(30 * time.Second)
	if s, err := w.load(other, cookie); err != nil || s.Tokens.Refresh != "refresh-secret+" {
		t.Errorf("on another replica: %v", err)
	}
	if n := p.calls.Load(); n != 1 {
		t.Errorf("the provider was called %d times", n)
	}
}

func TestUnsavedRefreshIsUsedByTheNextRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &strict{w: w, valid: "refresh-secret", hook: func() { w.redis.SetError("ERR down") }}
	m := w.replica(p.refresh) // it does not run, so nothing is retried
	cookie, _ := w.login(m, w.shortLived())
	w.clock.pass(59*time.Minute + 30*time.Second)
	w.mustLoad(m, cookie)
	p.hook = nil
	w.redis.SetError("")
	w.clock.pass(11 * time.Second) // the lease that could not be released
	if s, err := w.load(m, cookie); err != nil || s.Tokens.Refresh != "refresh-secret+" {
		t.Errorf("%v", err)
	}
	if n := p.calls.Load(); n != 1 {
		t.Errorf("the provider was called %d times", n)
	}
}

func ref(t *testing.T, w *world, cookie string) string {
	t.Helper()
	ticket, ok := parseTicket(cookie, w.ring)
	if !ok {
		t.Fatal("no ticket")
	}
	return ticket.ref()
}

func TestRepeatedWriteIsNotAConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	revoked := 0
	m.refresher.revoke = func(context.Context, string) { revoked++ }
	cookie, s := w.login(m, w.shortLived())
	ticket, _ := parseTicket(cookie.Value, w.ring)
	was, err := m.cache.fetch(t.Context(), ticket, binding(s.Ref, s.Host, issuer, clientID))
	if err != nil {
		t.Fatal(err)
	}
	next, other := *was.session, *was.session
	next.Tokens.Refresh, other.Tokens.Refresh = "ours", "theirs"
	stored, err := encodeRecord(w.ring, ticket, &next, was.version+1)
	if err != nil {
		t.Fatal(err)
	}
	for try := range 2 { // go-redis repeats a script without a reply
		n, err := replaceScript.Run(t.Context(), m.deps.Redis, []string{m.store.keys.record(s.Ref)},
			versionBytes(was.version), stored, m.store.timeLeft(s)).Int()
		if err != nil || n != recordWritten {
			t.Errorf("try %d: %d, %v", try, n, err)
		}
	}
	got, err := m.refresher.save(t.Context(), &refreshed{ticket: ticket, was: was, next: &other, version: was.version})
	if err != nil || got.session.Tokens.Refresh != "ours" || revoked != 0 {
		t.Errorf("written by another replica: %v, %d tokens revoked", err, revoked)
	}
	m.EndRef(t.Context(), s.Ref)
	_, err = m.refresher.save(t.Context(), &refreshed{ticket: ticket, was: was, next: &other, version: was.version})
	if !errors.Is(err, ErrNoSession) || revoked != 1 {
		t.Errorf("ended: %v, %d tokens revoked", err, revoked)
	}
}

func TestSessionThatEndsDuringItsRefreshRevokesTheTokenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &strict{w: w, valid: "refresh-secret"}
	m := w.replica(p.refresh)
	var revoked []string
	m.refresher.revoke = func(_ context.Context, token string) { revoked = append(revoked, token) }
	cookie, s := w.login(m, w.shortLived())
	w.clock.pass(59*time.Minute + 30*time.Second)
	p.hook = func() { w.redis.Del(m.store.keys.record(s.Ref)) } // another replica ends it
	if got := w.reason(m, cookie); got != string(RecordMissing) {
		t.Errorf("%q", got)
	}
	if ok, detail, _ := m.Health(); !ok {
		t.Errorf("Redis is reported as unhealthy: %s", detail)
	}
	for len(m.retries.tasks) > 0 {
		c := <-m.retries.tasks
		t.Errorf("waits for Redis: %s", c.ref)
		_ = c.run(t.Context())
	}
	if len(revoked) != 1 || revoked[0] != "refresh-secret+" {
		t.Errorf("revoked: %q", revoked)
	}
}
