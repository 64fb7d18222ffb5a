package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// logoutToken sends a logout token and returns the status.
func (w *world) logoutToken(token string) int {
	w.t.Helper()
	form := url.Values{"logout_token": {token}}
	return w.browser().do(http.MethodPost, w.gateway.URL+"/oauth2/backchannel_logout", form, false).StatusCode
}

// claimsNow returns the claims of a logout token that is valid by the world's clock.
func claimsNow(w *world, p *issuerOf, jti string) map[string]any {
	c := logoutClaims(p, jti)
	c["iat"], c["exp"] = w.now().Unix(), w.now().Add(10*time.Minute).Unix()
	return c
}

// forged returns a token with valid claims, signed with an attacker's key.
func forged(t *testing.T, w *world, p *issuerOf, id string) string {
	t.Helper()
	key := jose.JSONWebKey{Key: attackersKey(), KeyID: id}
	return p.with(jose.SigningKey{Algorithm: jose.RS256, Key: key}, claimsNow(w, p, strconv.Itoa(mathrand.Int())))
}

// attackersKey returns the attacker's key. Generating one takes a while.
var attackersKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// fetches counts the fetches of an issuer's keys by the world's clock.
type fetches struct {
	mu sync.Mutex
	at []time.Time
}

func (f *fetches) watch(w *world, p *issuerOf) {
	p.fetched = func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.at = append(f.at, w.now())
	}
}

func (f *fetches) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.at)
}

func newLogoutWorld(t *testing.T) (*world, *issuerOf, *fetches) {
	t.Helper()
	p, f := newIssuer(t), &fetches{}
	w := newWorld(t, func(w *world) { w.cfg.Issuer, w.cfg.Logout, w.cfg.BackchannelLogout = p.URL, "local", true })
	f.watch(w, p)
	return w, p, f
}

func TestLogoutTokenWithInvalidClaimsCausesNoFetch(t *testing.T) {
	t.Parallel()
	w, p, f := newLogoutWorld(t)
	encode := base64.RawURLEncoding.EncodeToString
	change := func(name string, value any) string {
		claims := claimsNow(w, p, name)
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
		return p.with(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: attackersKey(), KeyID: "k9"}}, claims)
	}
	for name, token := range map[string]string{
		"garbage": "garbage", "three parts": "x.y.z", "empty parts": "..",
		"JSON that is none": encode([]byte("{")) + "." + encode([]byte("{}")) + ".AA",
		"header only":       encode([]byte(`{"alg":"RS256","kid":"k9"}`)) + "." + encode([]byte("null")) + ".AA",
		"encrypted":         encode([]byte(`{"alg":"RSA-OAEP","enc":"A256GCM"}`)) + ".AA.AA.AA.AA",
		"a MAC":             p.with(jose.SigningKey{Algorithm: jose.HS256, Key: make([]byte, 32)}, claimsNow(w, p, "mac")),
		"no iss":            change("iss", nil), "another issuer": change("iss", "https://evil.example"),
		"no aud": change("aud", nil), "another client": change("aud", []string{"other"}),
		"no events": change("events", nil), "events as a list": change("events", []string{logoutEvent}),
		"no exp": change("exp", nil), "expired": change("exp", w.now().Add(-time.Hour).Unix()),
		"for years": change("exp", w.now().AddDate(9, 0, 0).Unix()),
		"no iat":    change("iat", nil), "of tomorrow": change("iat", w.now().AddDate(0, 0, 1).Unix()),
		"no jti": change("jti", nil), "no sub": change("sub", nil), "a nonce": change("nonce", "n"),
	} {
		if got := w.logoutToken(token); got != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got)
		}
	}
	if n := f.count(); n != 0 {
		t.Errorf("%d fetches of the keys", n)
	}
	if got := w.logoutToken(p.rs256(claimsNow(w, p, "genuine"))); got != http.StatusOK {
		t.Errorf("a genuine token afterwards: %d", got)
	}
}

func TestLogoutTokensThatAreForgedCauseOneFetchPerMinute(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]func(int) string{
		"public kid":    func(int) string { return "k1" },
		"no kid":        func(int) string { return "" },
		"one kid":       func(int) string { return "k9" },
		"kids each new": func(i int) string { return "k" + strconv.Itoa(100+i) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, p, f := newLogoutWorld(t)
			for minute := 1; minute <= 3; minute++ {
				for i := range 20 {
					if got := w.logoutToken(forged(t, w, p, id(i))); got != http.StatusBadRequest {
						t.Errorf("forged: %d", got)
					}
				}
				if n := f.count(); n > minute {
					t.Fatalf("%d fetches in %d minutes", n, minute)
				}
				if got := w.logoutToken(p.rs256(claimsNow(w, p, strconv.Itoa(minute)))); got != http.StatusOK {
					t.Errorf("genuine: %d", got)
				}
				w.pass(time.Minute)
			}
		})
	}
}

func TestLogoutTokenOfUnknownKeyGetsRetryAfter(t *testing.T) {
	t.Parallel()
	w, p, _ := newLogoutWorld(t)
	w.logoutToken(forged(t, w, p, "k8"))
	w.pass(20 * time.Second)
	got := w.browser().do(http.MethodPost, w.gateway.URL+"/oauth2/backchannel_logout",
		url.Values{"logout_token": {forged(t, w, p, "k9")}}, false)
	after, err := strconv.Atoi(got.Header.Get("Retry-After"))
	if got.StatusCode != http.StatusBadRequest || err != nil || after < 35 || after > 41 {
		t.Errorf("%d, Retry-After %q", got.StatusCode, got.Header.Get("Retry-After"))
	}
}

// In any mixture of tokens, genuine ones are accepted at most a minute after the provider replaced its keys, and two
// fetches of the keys are at least a minute apart.
func TestLogoutTokensThatAreGenuineAreAccepted(t *testing.T) {
	t.Parallel()
	w, p, f := newLogoutWorld(t)
	random := mathrand.New(mathrand.NewPCG(1, 2))
	id, replaced := 1, time.Time{}
	p.keys = func() []any { return []any{fields(t, &p.key.PublicKey, "k"+strconv.Itoa(id))} }
	p.sign = func(p *issuerOf, claims map[string]any) string {
		key := jose.JSONWebKey{Key: p.key, KeyID: "k" + strconv.Itoa(id)}
		return p.with(jose.SigningKey{Algorithm: jose.RS256, Key: key}, claims)
	}
	spare := []*rsa.PrivateKey{newRSA(t), p.key}
	for step := range 300 {
		switch random.IntN(8) {
		case 0, 1:
			w.logoutToken(strings.Repeat("x.", random.IntN(4)))
		case 2:
			w.logoutToken(forged(t, w, p, "k"+strconv.Itoa(id)))
		case 3, 4:
			w.logoutToken(forged(t, w, p, "invented"+strconv.Itoa(random.IntN(9))))
		case 5:
			w.pass(time.Duration(random.IntN(90)) * time.Second)
		case 6:
			if random.IntN(5) == 0 {
				p.key, spare[0], spare[1] = spare[0], spare[1], spare[0]
				id, replaced = id+1, w.now()
			}
		default:
			token := p.sign(p, claimsNow(w, p, "genuine"+strconv.Itoa(step)))
			got := w.logoutToken(token)
			if got == http.StatusBadRequest && w.now().Sub(replaced) < time.Minute {
				w.pass(time.Minute)
				got = w.logoutToken(token)
			}
			if got != http.StatusOK {
				t.Fatalf("step %d: genuine token: %d", step, got)
			}
		}
	}
	for i := 1; i < len(f.at); i++ {
		if apart := f.at[i].Sub(f.at[i-1]); apart < time.Minute {
			t.Errorf("two fetches within %s", apart)
		}
	}
	if f.count() < 3 {
		t.Errorf("only %d fetches", f.count())
	}
}
