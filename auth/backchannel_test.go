package auth

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

func logoutClaims(p *issuerOf, jti string) map[string]any {
	return map[string]any{
		"iss": p.URL, "sub": "ada", "aud": "client", "jti": jti,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		"events": map[string]any{logoutEvent: map[string]any{}},
	}
}

// The cases are oidcc-client-test-rp-backchannel-* of the conformance suite.
func TestLogoutTokenEndsSessionsOnceIfValid(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	w := newWorld(t, func(w *world) {
		w.cfg.Issuer, w.cfg.Logout, w.cfg.BackchannelLogout = p.URL, "local", true
	})
	b := w.browser()
	if got := w.finishIn(b, p); got.StatusCode != http.StatusFound {
		t.Fatalf("login: %d", got.StatusCode)
	}
	if got := w.logoutToken(p.rs256(logoutClaims(p, "warm-up-of-another-user"))); got != 200 {
		t.Fatalf("valid token: %d", got)
	}
	if got := b.step(w.gateway.URL + "/members/"); got.StatusCode != 302 {
		t.Errorf("the session did not end: %d", got.StatusCode)
	}
	for name, change := range map[string]func(map[string]any){
		"no-event":    func(c map[string]any) { delete(c, "events") },
		"wrong-event": func(c map[string]any) { c["events"] = map[string]any{"other": map[string]any{}} },
		"with-nonce":  func(c map[string]any) { c["nonce"] = "n" },
		"wrong-aud":   func(c map[string]any) { c["aud"] = "other" },
		"wrong-iss":   func(c map[string]any) { c["iss"] = "https://evil.example" },
		"no jti":      func(c map[string]any) { delete(c, "jti") },
		"no sub":      func(c map[string]any) { delete(c, "sub") },
	} {
		claims := logoutClaims(p, name)
		change(claims)
		if got := w.logoutToken(p.rs256(claims)); got != 400 {
			t.Errorf("%s: %d", name, got)
		}
	}
	hs256 := jose.SigningKey{Algorithm: jose.HS256, Key: []byte("secret-secret-secret-secret-secret")}
	for name, token := range map[string]string{
		"alg-none": unsigned(logoutClaims(p, "none")), "wrong-alg": p.with(hs256, logoutClaims(p, "hs")),
		"empty": "", "garbage": "x.y.z", "too long": strings.Repeat("x", 20<<10),
	} {
		if got := w.logoutToken(token); got != 400 {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func TestLogoutTokensWithUnknownKeysCauseOneFetch(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	var fetches atomic.Int32
	inner := p.Config.Handler
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks" {
			fetches.Add(1)
		}
		inner.ServeHTTP(w, r)
	})
	w := newWorld(t, func(w *world) { w.cfg.Issuer, w.cfg.Logout, w.cfg.BackchannelLogout = p.URL, "local", true })
	for i := range 20 {
		key := jose.JSONWebKey{Key: p.key, KeyID: "unknown" + strconv.Itoa(i)}
		w.logoutToken(p.with(jose.SigningKey{Algorithm: jose.RS256, Key: key}, logoutClaims(p, "j")))
	}
	if n := fetches.Load(); n > 2 {
		t.Errorf("%d fetches", n)
	}
}
