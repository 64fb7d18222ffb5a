package auth

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/setting"
)

// The cases include the negative ones of the OpenID conformance suite for relying parties, with their names there.
// setClaim returns a change of one claim, which is removed if the value is nil.
func setClaim(name string, value any) func(map[string]any) {
	return func(c map[string]any) {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
}

func TestIDTokenThatIsInvalidIsRejected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claims func(map[string]any)
		sign   func(*issuerOf, map[string]any) string
	}{
		"oidcc-client-test-invalid-iss":      {claims: setClaim("iss", "https://evil.example")},
		"oidcc-client-test-missing-sub":      {claims: setClaim("sub", nil)},
		"oidcc-client-test-invalid-aud":      {claims: setClaim("aud", "other")},
		"oidcc-client-test-missing-aud":      {claims: setClaim("aud", nil)},
		"oidcc-client-test-missing-iat":      {claims: setClaim("iat", nil)},
		"oidcc-client-test-nonce-invalid":    {claims: setClaim("nonce", "other")},
		"oidcc-client-test-nonce-missing":    {claims: setClaim("nonce", nil)},
		"oidcc-client-test-invalid-athash":   {claims: setClaim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
		"another audience as well":           {claims: setClaim("aud", []string{"client", "other"})},
		"azp of another client":              {claims: setClaim("azp", "other")},
		"expired":                            {claims: setClaim("exp", time.Now().Add(-2*time.Minute).Unix())},
		"from the future":                    {claims: setClaim("iat", time.Now().Add(time.Hour).Unix())},
		"an access token in its place":       {claims: setClaim("token_use", "access")},
		"oidcc-client-test-idtoken-sig-none": {sign: func(_ *issuerOf, c map[string]any) string { return unsigned(c) }},
		"oidcc-client-test-invalid-sig-rs256": {sign: func(p *issuerOf, c map[string]any) string {
			return p.with(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: attackersKey(), KeyID: "k1"}}, c)
		}},
		"oidcc-client-test-kid-unknown": {sign: func(p *issuerOf, c map[string]any) string {
			return p.with(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: attackersKey(), KeyID: "k2"}}, c)
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
				t.Errorf("callback: %d to %q", got.StatusCode, got.Header.Get("Location"))
			}
			for _, cookie := range got.Cookies() {
				if cookie.Name == "hubgate" && cookie.MaxAge >= 0 {
					t.Error("a session was started")
				}
			}
		})
	}
}

func TestIDTokenThatIsValidIsAccepted(t *testing.T) {
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

func TestKeySetUnavailableIsNotInvalidToken(t *testing.T) {
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

func TestUserinfoOfAnotherSubjectIsRejected(t *testing.T) { // oidcc-client-test-userinfo-invalid-sub
	t.Parallel()
	p := newIssuer(t)
	p.profile = func(info map[string]any) { info["sub"] = "mallory" }
	got := finish(t, p, func(c *Config) { c.ClaimsFromUserinfo = true })
	if got.StatusCode != http.StatusBadGateway {
		t.Errorf("%d", got.StatusCode)
	}
}

func TestDiscoveryRejectsWrongMetadata(t *testing.T) {
	t.Parallel()
	const clearText = `{"issuer":"ISSUER","authorization_endpoint":"http://evil.example/a",` +
		`"token_endpoint":"https://x/t","jwks_uri":"https://x/j"}`
	for name, c := range map[string]struct{ body, want string }{
		"oidcc-client-test-discovery-issuer-mismatch": {`{"issuer":"https://evil.example"}`, "issuer mismatch"},
		"endpoints without TLS":                       {clearText, "not an https URL"},
		"HTML":                                        {`<html>`, "not a JSON document"},
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
				t.Errorf("login: %d", got.StatusCode)
			}
			if ok, detail, _ := w.handler.deps.Provider.Health(); ok || !strings.Contains(detail, c.want) {
				t.Errorf("health: %v %q", ok, detail)
			}
		})
	}
}

func TestTokenEndpointErrorShowsPage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		code   string
		want   int
		alarm  bool
	}{
		"a wrong secret":       {400, "invalid_client", 500, true},
		"a wrong redirect URI": {400, "unauthorized_client", 500, false}, // also sent for a code of another host
		"a used code":          {400, "invalid_grant", 400, false},
		"throttled":            {429, "", 503, false},
		"broken":               {500, "", 503, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w *world) {
				w.tokenError = func(url.Values) (int, string) { return c.status, c.code }
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

func TestProviderErrorHidesDescription(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for query, want := range map[string]int{
		"error=access_denied": 403, "error=login_required": 400, "error=server_error": 503,
		"error=temporarily_unavailable": 503, "error=invalid_scope": 500, "error=unauthorized_client": 500,
		"error=invalid_request&error_description=PreSignUp+failed+with+error+%3Cscript%3Ealert(1)": 400,
		"error=%3Cscript%3E": 400,
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

func TestLoginRateIsLimitedByAddress(t *testing.T) {
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

func TestProviderWithoutDiscoveryUsesEndpoints(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	inner := p.Config.Handler
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, ".well-known") {
			t.Error("the discovery document was requested")
		}
		inner.ServeHTTP(w, r)
	})
	got := finish(t, p, func(c *Config) {
		c.Endpoints = openid.Endpoints{
			Authorize: p.URL + "/authorize", Token: p.URL + "/token", JWKS: p.URL + "/jwks", Userinfo: p.URL + "/userinfo",
		}
		c.ClaimsFromUserinfo, c.ClientAuth = true, "body"
	})
	if got.StatusCode != http.StatusFound || got.Header.Get("Location") != "/members/" {
		t.Errorf("%d to %q", got.StatusCode, got.Header.Get("Location"))
	}
}
