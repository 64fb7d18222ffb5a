package auth

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

func logoutClaims(p *issuerOf, jti string) map[string]any {
	return map[string]any{"iss": p.URL, "sub": "ada", "aud": "client", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "jti": jti,
		"events": map[string]any{logoutEvent: map[string]any{}}}
}

// The cases oidcc-client-test-rp-backchannel-* of the conformance suite.
func TestALogoutTokenEndsTheUsersSessionsOnceAndOnlyWhenItHolds(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	w := newWorld(t, func(w *world) {
		w.cfg.Issuer, w.cfg.Logout, w.cfg.BackchannelLogout = p.URL, "local", true
	})
	b := w.browser()
	begun := b.step(w.gateway.URL + "/members/")
	q := mustParse(t, begun.Header.Get("Location")).Query()
	p.nonce = q.Get("nonce")
	if got := b.step(w.gateway.URL + "/oauth2/callback?" + url.Values{"code": {"c"}, "state": {q.Get("state")}}.Encode()); got.StatusCode != 302 {
		t.Fatalf("the login: %d", got.StatusCode)
	}
	send := func(token string) int {
		return w.browser().do(http.MethodPost, w.gateway.URL+"/oauth2/backchannel_logout", url.Values{"logout_token": {token}}, false).StatusCode
	}
	if got := send(p.rs256(logoutClaims(p, "warm-up-of-another-user"))); got != 200 {
		t.Fatalf("a token that holds: %d", got)
	}
	if got := b.step(w.gateway.URL + "/members/"); got.StatusCode != 302 {
		t.Errorf("the session lives on: %d", got.StatusCode)
	}
	for name, change := range map[string]func(map[string]any){
		"no-event":    func(c map[string]any) { delete(c, "events") },
		"wrong-event": func(c map[string]any) { c["events"] = map[string]any{"other": map[string]any{}} },
		"with-nonce":  func(c map[string]any) { c["nonce"] = "n" },
		"wrong-aud":   func(c map[string]any) { c["aud"] = "other" },
		"wrong-iss":   func(c map[string]any) { c["iss"] = "https://evil.example" },
		"no jti":      func(c map[string]any) { delete(c, "jti") },
		"nobody":      func(c map[string]any) { delete(c, "sub") },
	} {
		claims := logoutClaims(p, name)
		change(claims)
		if got := send(p.rs256(claims)); got != 400 {
			t.Errorf("%s: %d", name, got)
		}
	}
	for name, token := range map[string]string{
		"alg-none": unsigned(logoutClaims(p, "none")), "nothing": "", "garbage": "x.y.z", "too long": strings.Repeat("x", 20<<10),
		"wrong-alg": p.with(jose.SigningKey{Algorithm: jose.HS256, Key: []byte("secret-secret-secret-secret-secret")}, logoutClaims(p, "hs")),
	} {
		if got := send(token); got != 400 {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func TestAFloodOfInventedKeysMakesOneFetch(t *testing.T) {
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
		token := p.with(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: "invented" + strconv.Itoa(i)}}, logoutClaims(p, "j"))
		w.browser().do(http.MethodPost, w.gateway.URL+"/oauth2/backchannel_logout", url.Values{"logout_token": {token}}, false)
	}
	if n := fetches.Load(); n > 2 {
		t.Errorf("%d fetches", n)
	}
}
