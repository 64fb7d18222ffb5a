package auth

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

const (
	asJSON        = "application/json"
	asHTML        = "text/html; charset=utf-8"
	missingSecret = `{"error":"invalid_request","error_description":"Missing parameter: client_secret"}`
	leaking       = `{"error":"invalid_request","error_description":"code 4f5a6b7c8d9e0f1a of ada@example.com\n\u001b[3"}`
)

func oauthError(code string) string { return `{"error":"` + code + `"}` }

// refusals are responses of a token endpoint, with their effect on a login.
var refusals = map[string]struct {
	status       int
	header, body string // Content-Type, or Location when it begins with a slash
	auth         string // client_auth, header when empty
	want         int
	log          []string // what the log must contain
	alarm        bool
}{
	"the secret is wanted in the body": {400, asJSON, missingSecret, "", 500, []string{
		"400", "invalid_request", "Missing parameter: client_secret", "auth.client_auth: body", "check --live"}, false},
	"the secret is wanted in the header": {400, asJSON, oauthError("invalid_request"), "body", 500,
		[]string{"invalid_request", "auth.client_auth: header"}, false},
	"a wrong secret": {401, asJSON, oauthError("invalid_client"), "", 500,
		[]string{"401", "invalid_client", "auth.client_secret"}, true},
	"Cognito's wrong secret": {400, asJSON, oauthError("invalid_client"), "", 500,
		[]string{"invalid_client", "auth.client_auth: body"}, true},
	"another callback URL": {400, asJSON, oauthError("unauthorized_client"), "", 500,
		[]string{"unauthorized_client", "callback URL"}, false},
	"no code flow": {400, asJSON, oauthError("unsupported_grant_type"), "", 500,
		[]string{"unsupported_grant_type"}, false},
	"an invalid scope": {400, asJSON, oauthError("invalid_scope"), "", 500,
		[]string{"invalid_scope", "auth.scopes"}, false},
	"a code that RFC 6749 lacks": {400, asJSON, oauthError("invalid_target"), "", 500,
		[]string{"invalid_target", "client's settings"}, false},
	"a code of one word": {403, asJSON, oauthError("Forbidden"), "", 500,
		[]string{"403 Forbidden Forbidden"}, false},
	"an error with status 200": {200, asJSON, oauthError("invalid_client"), "", 500, []string{"invalid_client"}, true},
	"an error in a form": {400, "text/plain", "error=invalid_request&error_description=no+secret", "", 500,
		[]string{"invalid_request (no secret)"}, false},
	"another address": {302, "/login", "", "", 500, []string{"302", "URL of the token endpoint"}, false},
	"moved for good":  {301, "/token/", "", "", 500, []string{"301", "URL of the token endpoint"}, false},
	"no such address": {404, asHTML, "<html>", "", 500, []string{"404", "URL of the token endpoint"}, false},
	"a used code": {400, asJSON, `{"error":"invalid_grant","error_description":"Ada Lovelace is blocked"}`, "", 400,
		[]string{"invalid_grant", "used before"}, false},
	"throttled":         {429, asJSON, oauthError("invalid_request"), "", 503, []string{"429"}, false},
	"broken":            {500, asJSON, oauthError("invalid_client"), "", 503, []string{"500"}, false},
	"a balancer's page": {502, asHTML, "<html>", "", 503, []string{"502"}, false},
	"a firewall's page": {403, asHTML, "<html>", "", 503, []string{"403"}, false},
	"temporarily unavailable": {400, asJSON, oauthError("temporarily_unavailable"), "", 503,
		[]string{"temporarily_unavailable"}, false},
	"a page of HTML":        {200, asHTML, "<html><body>Sign in", "", 503, []string{"200", "HTML page"}, false},
	"an empty body":         {200, asJSON, "", "", 503, []string{"with an empty body"}, false},
	"a truncated response":  {200, asJSON, `{"access_token":"acc`, "", 503, []string{"not a JSON object"}, false},
	"no access token":       {200, asJSON, `{}`, "", 503, []string{"without an access_token"}, false},
	"an access token alone": {200, asJSON, `{"access_token":"x"}`, "", 502, []string{"openid"}, false},
	"a list of descriptions": {401, asJSON, `{"error":"invalid_client","error_description":["no","secret"]}`, "", 500,
		[]string{"invalid_client (no secret)"}, true},
	"a description of a wrong type": {400, asJSON, `{"error":"invalid_scope","error_description":{"en":"no"}}`, "", 500,
		[]string{"invalid_scope (no)", "auth.scopes"}, false},
	"a number beside the error": {400, asJSON, `{"error":"invalid_scope","access_token":7,"id_token":[]}`, "", 500,
		[]string{"auth.scopes"}, false},
	"an error in a list": {401, asJSON, `{"error":["invalid_client"]}`, "", 500, []string{"invalid_client"}, true},
	"an error in an object": {401, asJSON, `{"error":{"code":"invalid_client","message":"Wrong secret"}}`, "", 500,
		[]string{"invalid_client (Wrong secret)", "auth.client_secret"}, true},
	"an object with other fields": {401, asJSON, `{"error":{"code":401,"status":"UNAUTHENTICATED"}}`, "", 500,
		[]string{"401", "UNAUTHENTICATED", "auth.client_secret"}, false},
	"an errorCode": {401, asJSON, `{"errorCode":"E0000011","errorSummary":"Invalid token"}`, "", 500,
		[]string{"E0000011 Invalid token", "auth.client_secret"}, false},
	"a message of a gateway": {503, asJSON, `{"message":"no upstream"}`, "", 503, []string{"503", "no upstream"}, false},
	"a byte order mark": {401, asJSON, "\ufeff" + oauthError("invalid_client"), "", 500,
		[]string{"invalid_client", "auth.client_secret"}, true},
	"an object with status 200": {200, asJSON, `{"error":{"message":"not today"}}`, "", 503,
		[]string{"200", "not today"}, false},
	"an empty 401": {401, asJSON, "", "", 500,
		[]string{"401 Unauthorized without an OAuth error", "auth.client_secret"}, false},
	"a 401 with HTML": {401, asHTML, "<html>", "", 500, []string{"URL of the token endpoint"}, false},
	"a 405":           {405, asJSON, `{"message":"no"}`, "", 500, []string{"URL of the token endpoint"}, false},
	"an invalid 400": {400, asJSON, `{"error":`, "", 503,
		[]string{"without an OAuth error"}, false},
	"a description with secrets": {400, asJSON, leaking, "", 500, []string{"(code ... of ...)"}, false},
}

func TestExchangeRefusalNamesCause(t *testing.T) {
	t.Parallel()
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			p.token = func(w http.ResponseWriter, _ *http.Request) {
				if strings.HasPrefix(c.header, "/") {
					w.Header().Set("Location", c.header)
				} else {
					w.Header().Set("Content-Type", c.header)
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			}
			got, w := finishNew(t, p, func(cfg *Config) {
				if c.auth != "" {
					cfg.ClientAuth = c.auth
				}
			})
			if got.StatusCode != c.want || (c.want == 503) != (got.Header.Get("Retry-After") != "") {
				t.Errorf("%d, Retry-After %q", got.StatusCode, got.Header.Get("Retry-After"))
			}
			if retry := strings.Contains(got.body, "/oauth2/start?rd=%2Fmembers%2F"); retry != (c.want != 500) {
				t.Errorf("the page offers another try: %v", retry)
			}
			o := w.outcome()
			if !o.Login || o.Reason == "" || o.Err == nil {
				t.Fatalf("outcome %+v", o)
			}
			for _, word := range c.log {
				if !strings.Contains(o.Err.Error(), word) {
					t.Errorf("the log lacks %q: %s", word, o.Err)
				}
			}
			if c.status == 401 && c.header == asJSON && strings.Contains(o.Err.Error(), "URL of the token endpoint") {
				t.Errorf("the log blames the URL: %s", o.Err)
			}
			for _, word := range []string{"Ada", "4f5a6b", "@", "\n", "\x1b", "<html"} {
				if strings.Contains(o.Err.Error(), word) {
					t.Errorf("the log contains %q: %s", word, o.Err)
				}
			}
			if ok, _, _ := w.handler.deps.Provider.Health(); ok == c.alarm {
				t.Errorf("the alarm is %v", !ok)
			}
		})
	}
}

func TestExchangeAcceptsVariantsOfTokenResponses(t *testing.T) {
	t.Parallel()
	for name, granted := range map[string]func(map[string]any){
		"a fraction":         func(a map[string]any) { a["expires_in"] = 3599.5 },
		"text":               func(a map[string]any) { a["expires_in"] = "3600" },
		"text of fractions":  func(a map[string]any) { a["expires_in"] = "3599.999" },
		"null":               func(a map[string]any) { a["expires_in"] = nil },
		"no expiry":          func(a map[string]any) { delete(a, "expires_in") },
		"a huge number":      func(a map[string]any) { a["expires_in"] = 1e30 },
		"not a number":       func(a map[string]any) { a["expires_in"] = "an hour" },
		"other types beside": func(a map[string]any) { a["scope"], a["refresh_token"] = []string{"a", "b"}, 7 },
		"an empty error":     func(a map[string]any) { a["error"], a["message"] = "", "welcome" },
		"no token_type":      func(a map[string]any) { delete(a, "token_type") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			p.granted = granted
			if got, w := finishNew(t, p, nil); got.StatusCode != http.StatusFound {
				t.Errorf("%d: %v", got.StatusCode, w.outcome().Err)
			}
		})
	}
}

func TestCallbackRejectsMalformedCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.asked = func(r *http.Request) {
		if strings.Contains(r.URL.Path, "token") {
			t.Error("unexpected request to the token endpoint")
		}
	}
	for _, code := range []string{"%00", "a%0Ab", "%C3%A9", "%7F", strings.Repeat("x", maxCode+1)} {
		b := w.browser()
		state := mustParse(t, b.step(w.gateway.URL+"/members/").Header.Get("Location")).Query().Get("state")
		got := b.step(w.gateway.URL + "/oauth2/callback?code=" + code + "&state=" + state)
		if got.StatusCode != http.StatusBadRequest {
			t.Errorf("%.20q: %d", code, got.StatusCode)
		}
	}
}

func TestProviderDocumentsMayBeginWithByteOrderMark(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			inner := p.Config.Handler
			p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == path {
					w.Header().Set("Content-Type", asJSON)
					io.WriteString(w, "\ufeff")
				}
				inner.ServeHTTP(w, r)
			})
			got, w := finishNew(t, p, func(c *Config) { c.ClaimsFromUserinfo = true })
			if got.StatusCode != http.StatusFound {
				t.Errorf("%d: %v", got.StatusCode, w.outcome().Err)
			}
		})
	}
}
