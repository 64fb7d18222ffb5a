package auth

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
)

func TestCallbackWithoutRedisKeepsCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
	w.redis.SetError("ERR unavailable")
	got := b.step(callback)
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
		t.Errorf("%d", got.StatusCode)
	}
	w.redis.SetError("")
	if got := b.get(callback); got.StatusCode != 200 {
		t.Errorf("retry: %d %s", got.StatusCode, got.body)
	}
}

func TestRepeatedCallbackWithoutRedisGetsRetryAfter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
	state, _ := parseState(w.handler.deps.Ring, mustParse(t, callback).Query().Get("state"))
	w.must(w.redis.Set(w.handler.claims.key(state), "another callback"))
	w.redis.SetError("ERR unavailable")
	if got := b.step(callback); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d", got.StatusCode)
	}
}

// flakyEnder can fail to end and to count sessions.
type flakyEnder struct {
	Ender
	fails atomic.Bool
}

func (m *flakyEnder) EndUser(ctx context.Context, issuer, subject string) (int, error) {
	if m.fails.Load() {
		return 0, errors.New("unavailable")
	}
	return m.Ender.EndUser(ctx, issuer, subject)
}

func (m *flakyEnder) CountUser(ctx context.Context, issuer, subject string) (int, error) {
	if m.fails.Load() {
		return 0, errors.New("unavailable")
	}
	return m.Ender.CountUser(ctx, issuer, subject)
}

func TestLogoutTokenIsRetriedAfterRedisError(t *testing.T) {
	t.Parallel()
	p, ender := newIssuer(t), &flakyEnder{}
	ender.fails.Store(true)
	w := newWorld(t, func(w *world) {
		w.cfg.Issuer, w.cfg.Logout, w.cfg.BackchannelLogout = p.URL, "local", true
		w.ender = func(sessions Ender) Ender { ender.Ender = sessions; return ender }
	})
	b := w.browser()
	if got := w.finishIn(b, p); got.StatusCode != http.StatusFound {
		t.Fatalf("login: %d", got.StatusCode)
	}
	token := p.rs256(logoutClaims(p, "1"))
	for _, want := range []int{503, 200, 200} {
		if got := w.logoutToken(token); got != want {
			t.Errorf("%d, want %d", got, want)
		}
		ender.fails.Store(false)
	}
	if got := b.step(w.gateway.URL + "/members/"); got.StatusCode != 302 {
		t.Errorf("the session did not end: %d", got.StatusCode)
	}
}
