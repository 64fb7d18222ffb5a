package proxy

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/proxy/rules"
)

func gateRules() []rules.RuleConfig {
	return []rules.RuleConfig{
		loginRule("/members/**"), loginRule("/partners/**", "partner"), publicRule("/members/join"),
		{Path: []string{"/read/**"}, Methods: []string{"GET", "HEAD"}},
		{Path: []string{"/fresh/**"}, MaxAuthAge: 3600e9},
	}
}

// gateResponses are requests, and how the gate answers each.
var gateResponses = []struct {
	name, method, target string
	headers              []string
	status               int
	decision, rule       string
	has                  string
}{
	{"public", "GET", "/pricing", nil, 200, "public", "default", "origin"},
	{"public rule", "GET", "/members/join", nil, 200, "public", "/members/join", "origin"},
	{"navigation", "GET", "/members/a", []string{navigate}, 302, "login", "/members/**", ""},
	{"navigation by HEAD", "HEAD", "/members/a", []string{navigate}, 302, "login", "/members/**", ""},
	{"navigation of an old browser", "GET", "/members/a", []string{"Accept: text/html,*/*"}, 302, "login",
		"/members/**", ""},
	{"XMLHttpRequest of an old browser", "GET", "/members/a", []string{"Accept: text/html",
		"X-Requested-With: XMLHttpRequest"}, 401, "login", "/members/**", ""},
	{"fetch", "GET", "/members/a?x=1;2", []string{"Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty", "Accept: */*"},
		401, "login", "/members/**", `"login_url":"/oauth2/start?rd=%2Fmembers%2Fa%3Fx%3D1%3B2"`},
	{"frame", "GET", "/members/a", []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe",
		"Accept: text/html"}, 401, "login", "/members/**", `href="/oauth2/start?rd=%2Fmembers%2Fa"`},
	{"image", "GET", "/members/a.png", []string{"Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, 401, "login",
		"/members/**", "login_url"},
	{"prefetch", "GET", "/members/a", []string{navigate, "Sec-Purpose: prefetch;prerender"}, 401, "login",
		"/members/**", ""},
	{"old prefetch", "GET", "/members/a", []string{navigate, "Purpose: prefetch"}, 401, "login", "/members/**", ""},
	{"Firefox prefetch", "GET", "/members/a", []string{navigate, "X-Moz: prefetch"}, 401, "login", "/members/**",
		""},
	{"form", "POST", "/members/a", []string{navigate, "Content-Length: 0"}, 401, "login", "/members/**",
		`href="/members/a"`},
	{"preflight", "OPTIONS", "/members/a", []string{"Origin: https://evil.example",
		"Access-Control-Request-Method: GET"}, 401, "login", "/members/**", ""},
	{"unknown session", "GET", "/members/a", []string{navigate, "Cookie: __Host-hubgate=mallory"}, 302, "login",
		"/members/**", ""},
	{"store away", "GET", "/members/a", []string{navigate, "Cookie: __Host-hubgate=broken"}, 503, "error",
		"/members/**", ""},
	{"store away, public page", "GET", "/pricing", []string{"Cookie: __Host-hubgate=broken"}, 200, "public",
		"default", "origin"},
	{"logged in", "GET", "/members/a", []string{navigate, asBob}, 200, "allow", "/members/**", "origin"},
	{"in the group", "GET", "/partners/", []string{navigate, asAlice}, 200, "allow", "/partners/**", "origin"},
	{"not in the group", "GET", "/partners/", []string{navigate, asBob}, 403, "forbid", "/partners/**",
		"bob@example.com"},
	{"method not of the rule", "POST", "/read/a", []string{"Content-Length: 0"}, 405, "refuse", "/read/**", ""},
	{"TRACE", "TRACE", "/pricing", nil, 405, "refuse", "default", ""},
	{"unknown method", "BREW", "/members/a", []string{asBob}, 405, "refuse", "/members/**", ""},
	{"lower-case method", "get", "/members/a", []string{asBob}, 405, "refuse", "/members/**", ""},
	{"draft's preview", "GET", "/pricing?hs_preview=k-1", []string{navigate}, 302, "login", "hubspot:previews", ""},
	{"debug", "GET", "/pricing?hsDebug=true", nil, 403, "refuse", "hubspot:debug", ""},
	{"diagnostics", "GET", "/_hcms/diagnostics", nil, 403, "refuse", "hubspot:diagnostics", ""},
	{"search", "GET", "/_hcms/search?term=a", nil, 401, "login", "hubspot:search", ""},
	{"never asked for its age", "GET", "/fresh/a", []string{navigate, asBob}, 302, "login", "/fresh/**", ""},
}

// The rows are those of the table in docs/http.md.
func TestGateResponses(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("origin")) })
	s := newStage(t, staging{cfg: testConfig(origin.URL, gateRules()...)})
	for _, c := range gateResponses {
		got := s.get(t, c.method, c.target, append(c.headers, "Connection: close")...)
		o := s.last.Load().Outcome
		if got.StatusCode != c.status || o.Decision != c.decision || o.Rule != c.rule ||
			!strings.Contains(got.body, c.has) {
			t.Errorf("%s: %d %s by %s, want %d %s by %s with %q:\n%s", c.name, got.StatusCode, o.Decision, o.Rule,
				c.status, c.decision, c.rule, c.has, got.body)
		}
		if cc := got.Header.Get("Cache-Control"); c.decision != "public" && !strings.Contains(cc, "no-store") {
			t.Errorf("%s: Cache-Control %q", c.name, cc)
		}
		switch {
		case c.status == 405 && got.Header.Get("Allow") == "":
			t.Errorf("%s: no Allow", c.name)
		case c.status == 503 && (got.Header.Get("Retry-After") == "" || got.Header.Get("Set-Cookie") != ""):
			t.Errorf("%s: Retry-After %q, Set-Cookie %q", c.name, got.Header.Get("Retry-After"),
				got.Header.Get("Set-Cookie"))
		}
	}
	if s.aged.Load() != 1 {
		t.Errorf("%d logins for max_auth_age, want 1", s.aged.Load())
	}
}

func TestPublicPageLoadsNoSession(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, func(http.ResponseWriter, *http.Request) {})
	s := newStage(t, staging{cfg: testConfig(origin.URL, gateRules()...)})
	for _, target := range []string{"/", "/members/join", "/hubfs/logo.svg", "/robots.txt", "/?a=b;c", "/nowhere"} {
		if got := s.get(t, "GET", target, navigate, asBob); got.StatusCode != 200 {
			t.Errorf("%s: %d", target, got.StatusCode)
		}
	}
	if s.loads.Load() != 0 || s.begins.Load() != 0 {
		t.Errorf("%d sessions loaded, %d logins begun", s.loads.Load(), s.begins.Load())
	}
}

func TestProblemJSONForPrograms(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{cfg: testConfig("http://127.0.0.1:1", gateRules()...)})
	got := s.get(t, "GET", "/members/a%20b?c=d", "Accept: application/json")
	var problem struct {
		Status   int    `json:"status"`
		LoginURL string `json:"login_url"`
	}
	if err := json.Unmarshal([]byte(got.body), &problem); err != nil ||
		got.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%v, %s: %s", err, got.Header.Get("Content-Type"), got.body)
	}
	if problem.Status != 401 || problem.LoginURL != "/oauth2/start?rd=%2Fmembers%2Fa%2520b%3Fc%3Dd" {
		t.Errorf("%+v", problem)
	}
}

// No header, cookie or query that a visitor adds may turn another decision into allow or public.
func TestAddedHeadersOpenNoPage(t *testing.T) {
	t.Parallel()
	reached := make(chan string, 1000)
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { reached <- r.RequestURI })
	s := newStage(t, staging{cfg: testConfig(origin.URL, gateRules()...)})
	added := []string{"X-Original-URL: /", "X-Rewrite-URL: /members/join", "X-Forwarded-Uri: /members/join",
		"X-Forwarded-Host: localhost", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http",
		"X-HTTP-Method-Override: OPTIONS", "X-Method-Override: HEAD", "X-Middleware-Subrequest: middleware:middleware",
		"X-Auth-Request-User: alice", "X-Auth-Request-Groups: partner", "X-Auth-Request-Email: alice@example.com",
		"X-HS-Public-Host: other", "X-HubSpot-Client-IP: 1.2.3.4", "User-Agent: kube-probe/1.30",
		"User-Agent: ELB-HealthChecker/2.0", "User-Agent: HubSpot Crawler", "Authorization: Bearer x",
		"Authorization: Basic YWxpY2U6ZGVtbw==",
		"Cookie: __Host-hubgate=", "Cookie: __host-hubgate=alice", "Cookie: hubgate=alice",
		"Cookie: $Version=1; X=alice", "Cookie: __Host-hubgate=mallory; __Host-hubgate=mallory",
		"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
		"Connection: X-HS-Public-Host, Cookie", "Origin: https://" + testHost, "Range: bytes=0-",
		"If-None-Match: *", "If-Modified-Since: Mon, 01 Jan 2035 00:00:00 GMT",
		"Expect: 100-continue", "Via: 1.1 trusted", "Forwarded: for=127.0.0.1;host=localhost", "Host-Override: x",
		"X-Host: localhost", "Sec-Fetch-Mode: navigate", "Sec-Purpose: prefetch", "Referer: https://" + testHost +
			"/members/join"}
	queries := []string{"", "?public=1", "?hs_preview=", "?hsDebug=false", "?groups=partner", "?path=/members/join",
		"?/members/join", "?a=/../members/join", "?developerMode=true", "?hsCacheBuster=1", "?hs_amp=true", "?_hcms",
		"?x;y"}
	for _, target := range []string{"/members/a", "/partners/a", "/read/a", "/_hcms/diagnostics"} {
		for _, query := range queries {
			for _, header := range append(added, strings.Join(added[:19], "\r\n")) {
				for _, method := range []string{"GET", "OPTIONS"} {
					if got := s.get(t, method, target+query, header, "Connection: close"); got.StatusCode < 300 {
						t.Errorf("%s %s%s with %s: %d", method, target, query, header, got.StatusCode)
					}
				}
			}
		}
	}
	if len(reached) > 0 {
		t.Errorf("the origin was asked for %s", <-reached)
	}
}
