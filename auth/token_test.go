package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hubgate/hubgate/internal/setting"
)

// issuerOf is an OpenID provider that signs whatever a test wants: for what no real one should send.
type issuerOf struct {
	*httptest.Server
	t       *testing.T
	key     *rsa.PrivateKey
	sign    func(p *issuerOf, claims map[string]any) string
	claims  func(claims map[string]any)
	nonce   string
	profile func(map[string]any)
}

func newIssuer(t *testing.T) *issuerOf {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &issuerOf{t: t, key: key, sign: (*issuerOf).rs256}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
			"jwks_uri": p.URL + "/jwks", "userinfo_endpoint": p.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}})
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &p.key.PublicKey, KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("/userinfo", func(w http.ResponseWriter, _ *http.Request) {
		info := map[string]any{"sub": "ada", "email": "ada@example.com", "email_verified": "true"}
		if p.profile != nil {
			p.profile(info)
		}
		json.NewEncoder(w).Encode(info)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		claims := map[string]any{"iss": p.URL, "sub": "ada", "aud": "client", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "nonce": p.nonce}
		if p.claims != nil {
			p.claims(claims)
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 3600, "id_token": p.sign(p, claims)})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *issuerOf) rs256(claims map[string]any) string {
	return p.with(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: "k1"}}, claims)
}

func (p *issuerOf) with(key jose.SigningKey, claims map[string]any) string {
	p.t.Helper()
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	object, err := signer.Sign(body)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// finish begins a login, lets the issuer answer and returns what the callback says.
func finish(t *testing.T, p *issuerOf, change func(*Config)) answer {
	t.Helper()
	w := newWorld(t, func(w *world) {
		w.cfg.Issuer, w.cfg.Logout, w.cfg.GroupsClaim = p.URL, "auto", "groups"
		if change != nil {
			change(&w.cfg)
		}
	})
	b := w.browser()
	begun := b.step(w.gateway.URL + "/members/")
	q := mustParse(t, begun.Header.Get("Location")).Query()
	p.nonce = q.Get("nonce")
	return b.step(w.gateway.URL + "/oauth2/callback?" + url.Values{"code": {"c"}, "state": {q.Get("state")}}.Encode())
}

// The negative cases of the OpenID conformance suite's plans for relying parties, by their names there.
func TestAnIDTokenThatDoesNotHoldIsNoLogin(t *testing.T) {
	t.Parallel()
	set := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		}
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		claims func(map[string]any)
		sign   func(*issuerOf, map[string]any) string
	}{
		"oidcc-client-test-invalid-iss":      {claims: set("iss", "https://evil.example")},
		"oidcc-client-test-missing-sub":      {claims: set("sub", nil)},
		"oidcc-client-test-invalid-aud":      {claims: set("aud", "other")},
		"oidcc-client-test-missing-aud":      {claims: set("aud", nil)},
		"oidcc-client-test-missing-iat":      {claims: set("iat", nil)},
		"oidcc-client-test-nonce-invalid":    {claims: set("nonce", "other")},
		"oidcc-client-test-nonce-missing":    {claims: set("nonce", nil)},
		"oidcc-client-test-invalid-athash":   {claims: set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
		"a token for somebody else as well":  {claims: set("aud", []string{"client", "other"})},
		"azp of another client":              {claims: set("azp", "other")},
		"expired":                            {claims: set("exp", time.Now().Add(-2*time.Minute).Unix())},
		"from the future":                    {claims: set("iat", time.Now().Add(time.Hour).Unix())},
		"an access token in its place":       {claims: set("token_use", "access")},
		"oidcc-client-test-idtoken-sig-none": {sign: func(_ *issuerOf, c map[string]any) string { return unsigned(c) }},
		"oidcc-client-test-invalid-sig-rs256": {sign: func(p *issuerOf, c map[string]any) string {
			return p.with(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: other, KeyID: "k1"}}, c)
		}},
		"oidcc-client-test-kid-unknown": {sign: func(p *issuerOf, c map[string]any) string {
			return p.with(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: other, KeyID: "k2"}}, c)
		}},
		"oidcc-client-test-invalid-sig-hs256": {sign: func(p *issuerOf, c map[string]any) string {
			return p.with(jose.SigningKey{Algorithm: jose.HS256, Key: []byte("secret-secret-secret-secret-secret")}, c)
		}},
		"not a token at all": {sign: func(*issuerOf, map[string]any) string { return "x.y.z" }},
		"none":               {sign: func(*issuerOf, map[string]any) string { return "" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			p.claims = c.claims
			if c.sign != nil {
				p.sign = c.sign
			}
			got := finish(t, p, nil)
			if got.StatusCode != http.StatusBadGateway {
				t.Errorf("the callback answers %d to %q", got.StatusCode, got.Header.Get("Location"))
			}
			for _, cookie := range got.Cookies() {
				if cookie.Name == "hubgate" && cookie.MaxAge >= 0 {
					t.Error("a session was made")
				}
			}
		})
	}
}

func unsigned(claims map[string]any) string {
	body, _ := json.Marshal(claims)
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
}

func TestWhatAGoodProviderSendsIsALogin(t *testing.T) {
	t.Parallel()
	for name, claims := range map[string]func(map[string]any){
		"oidcc-client-test":         nil,
		"one second ahead":          func(c map[string]any) { c["iat"] = time.Now().Add(time.Second).Unix() },
		"expired within clock_skew": func(c map[string]any) { c["exp"] = time.Now().Add(-5 * time.Second).Unix() },
		"azp is this client":        func(c map[string]any) { c["azp"], c["aud"] = "client", []string{"client", "other"} },
		"groups are one word":       func(c map[string]any) { c["groups"] = "staff" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			p.claims = claims
			if got := finish(t, p, nil); got.StatusCode != http.StatusFound || got.Header.Get("Location") != "/members/" {
				t.Errorf("%d to %q\n%s", got.StatusCode, got.Header.Get("Location"), got.body)
			}
		})
	}
}

func TestKeysThatCannotBeFetchedAreNoBadToken(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	inner := p.Config.Handler
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		inner.ServeHTTP(w, r)
	})
	if got := finish(t, p, nil); got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
		t.Errorf("%d", got.StatusCode)
	}
}

func TestUserInfoOfAnotherSubjectIsRefused(t *testing.T) { // oidcc-client-test-userinfo-invalid-sub
	t.Parallel()
	p := newIssuer(t)
	p.profile = func(info map[string]any) { info["sub"] = "mallory" }
	got := finish(t, p, func(c *Config) { c.ClaimsFromUserinfo = true })
	if got.StatusCode != http.StatusBadGateway {
		t.Errorf("%d", got.StatusCode)
	}
}

func TestADiscoveryThatLiesIsSaidInWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, says string }{
		"oidcc-client-test-discovery-issuer-mismatch": {`{"issuer":"https://evil.example"}`, "calls itself"},
		"endpoints in the clear":                      {`{"issuer":"ISSUER","authorization_endpoint":"http://evil.example/a","token_endpoint":"https://x/t","jwks_uri":"https://x/j"}`, "no https address"},
		"no JSON":                                     {`<html>`, "no JSON document"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var srv *httptest.Server
			srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Write([]byte(strings.ReplaceAll(c.body, "ISSUER", srv.URL)))
			}))
			t.Cleanup(srv.Close)
			w := newWorld(t, func(w *world) { w.cfg.Issuer = srv.URL })
			got := w.browser().step(w.gateway.URL + "/members/")
			if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
				t.Errorf("a login answers %d", got.StatusCode)
			}
			if ok, detail, _ := w.handler.deps.Provider.Health(); ok || !strings.Contains(detail, c.says) {
				t.Errorf("health: %v %q", ok, detail)
			}
		})
	}
}

func TestTheProvidersFaultsEndOnAPageAndNeverInALoop(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		code   string
		want   int
		alarm  bool
	}{
		"a wrong secret":       {400, "invalid_client", 500, true},
		"a wrong redirect URI": {400, "unauthorized_client", 500, true},
		"a spent code":         {400, "invalid_grant", 400, false},
		"throttled":            {429, "", 503, false},
		"broken":               {500, "", 503, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w *world) {
				w.faults.Token = func(url.Values) (int, string) { return c.status, c.code }
			})
			b := w.browser()
			got := b.step(w.consent(b, w.atProvider(b, "/members/"), "alice@example.com"))
			if got.StatusCode != c.want || got.Header.Get("Location") != "" {
				t.Errorf("%d to %q", got.StatusCode, got.Header.Get("Location"))
			}
			if ok, _, _ := w.handler.deps.Provider.Health(); ok == c.alarm {
				t.Errorf("the alarm is %v", !ok)
			}
		})
	}
}

func TestAnErrorOfTheProviderIsToldByItsClassWithoutItsText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for query, want := range map[string]int{
		"error=access_denied": 403, "error=login_required": 400, "error=server_error": 502, "error=invalid_scope": 500, "error=unauthorized_client": 500,
		"error=invalid_request&error_description=PreSignUp+failed+with+error+%3Cscript%3Ealert(1)": 400, "error=%3Cscript%3E": 400,
	} {
		b := w.browser()
		begun := b.step(w.gateway.URL + "/members/")
		state := mustParse(t, begun.Header.Get("Location")).Query().Get("state")
		got := b.step(w.gateway.URL + "/oauth2/callback?" + query + "&state=" + state)
		if got.StatusCode != want || strings.Contains(got.body, "<script") || strings.Contains(got.body, "PreSignUp") {
			t.Errorf("%s: %d", query, got.StatusCode)
		}
	}
}

func TestLoginsAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.cfg.LoginRate = setting.Rate{Requests: 5, Per: setting.Duration(time.Minute)} })
	b := w.browser()
	for i := range 6 {
		got := b.step(w.gateway.URL + "/members/")
		if want := map[bool]int{true: 302, false: 429}[i < 5]; got.StatusCode != want {
			t.Errorf("login %d: %d", i, got.StatusCode)
		}
	}
	w.pass(time.Minute)
	if got := b.step(w.gateway.URL + "/members/"); got.StatusCode != 302 {
		t.Errorf("a minute later: %d", got.StatusCode)
	}
}
