package auth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
)

func TestAStoreThatIsAwayDoesNotSpendTheCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
	w.redis.SetError("ERR away")
	got := b.step(callback)
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
		t.Errorf("%d", got.StatusCode)
	}
	w.redis.SetError("")
	if got := b.get(callback); got.StatusCode != 200 {
		t.Errorf("tried again: %d %s", got.StatusCode, got.body)
	}
}

func TestASecondDeliveryWithoutAStoreIsToldToTryAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
	state, _ := parseState(w.handler.deps.Ring, mustParse(t, callback).Query().Get("state"))
	w.must(w.redis.Set(w.handler.claims.key(state), "another delivery's"))
	w.redis.SetError("ERR away")
	if got := b.step(callback); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d", got.StatusCode)
	}
}

// moody fails to end sessions now and then.
type moody struct {
	Ender
	fails atomic.Bool
}

func (m *moody) EndUser(ctx context.Context, issuer, subject string) (int, error) {
	if m.fails.Load() {
		return 0, errors.New("away")
	}
	return m.Ender.EndUser(ctx, issuer, subject)
}

func TestALogoutTokenThatTheStoreDidNotTakeIsTakenTheNextTime(t *testing.T) {
	t.Parallel()
	p, ender := newIssuer(t), &moody{}
	ender.fails.Store(true)
	w := newWorld(t, func(w *world) {
		w.cfg.Issuer, w.cfg.Logout, w.cfg.BackchannelLogout = p.URL, "local", true
		w.ender = func(sessions Ender) Ender { ender.Ender = sessions; return ender }
	})
	b := w.browser()
	q := mustParse(t, b.step(w.gateway.URL+"/members/").Header.Get("Location")).Query()
	p.nonce = q.Get("nonce")
	if got := b.step(w.gateway.URL + "/oauth2/callback?" + url.Values{"code": {"c"}, "state": {q.Get("state")}}.Encode()); got.StatusCode != 302 {
		t.Fatalf("the login: %d", got.StatusCode)
	}
	form := url.Values{"logout_token": {p.rs256(logoutClaims(p, "1"))}}
	for _, want := range []int{503, 200, 200} {
		if got := w.browser().do(http.MethodPost, w.gateway.URL+"/oauth2/backchannel_logout", form, false).StatusCode; got != want {
			t.Errorf("%d, want %d", got, want)
		}
		ender.fails.Store(false)
	}
	if got := b.step(w.gateway.URL + "/members/"); got.StatusCode != 302 {
		t.Errorf("the session lives on: %d", got.StatusCode)
	}
}
