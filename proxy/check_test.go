package proxy

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// asked is what another server asks, and the response.
type asked struct {
	name    string
	stage   *stage
	query   string
	headers []string
	status  int
}

func (c asked) check(t *testing.T) {
	t.Helper()
	got := c.stage.get(t, "GET", "/oauth2/auth"+c.query, append(c.headers, "Connection: close")...)
	if got.StatusCode != c.status || !strings.Contains(got.Header.Get("Cache-Control"), "no-store") {
		t.Errorf("%s: %s %v: %d, want %d", c.name, c.query, c.headers, got.StatusCode, c.status)
	}
}

func inHeaders(d *stubs) { d.ForwardAuth = ForwardAuthHeaders }

func uri(s string) string { return "X-Forwarded-Uri: " + s }

func TestForwardAuthQueryIsParsedStrictly(t *testing.T) {
	t.Parallel()
	direct := newStage(t, staging{cfg: testConfig("http://127.0.0.1:1", gateRules()...)})
	for _, c := range []asked{
		{"anonymous", direct, "", nil, 401},
		{"logged in", direct, "", []string{asBob}, 202},
		{"store away", direct, "", []string{"Cookie: __Host-hubgate=broken"}, 503},
		{"in a group", direct, "?groups=staff,partner", []string{asAlice}, 202},
		{"in no group", direct, "?groups=partner", []string{asBob}, 403},
		{"anonymous, groups", direct, "?groups=partner", nil, 401},
		{"public path", direct, "?path=/pricing", nil, 202},
		{"public path, groups are and-ed", direct, "?path=/pricing&groups=partner", nil, 401},
		{"public path, groups are and-ed", direct, "?path=/pricing&groups=partner", []string{asBob}, 403},
		{"members, anonymous", direct, "?path=/members/a", nil, 401},
		{"members", direct, "?path=%2FMembers%2Fa", []string{asBob}, 202},
		{"partners", direct, "?path=/partners/", []string{asBob}, 403},
		{"a space", direct, "?path=%2Fmembers%2Fa%2520b", []string{asBob}, 202},
		{"too old a login", direct, "?path=/fresh/a", []string{asBob}, 401},
		{"path twice", direct, "?path=/pricing&path=/members/a", []string{asAlice}, 403},
		{"path twice, one name encoded", direct, "?path=/pricing&%70ath=/members/a", []string{asAlice}, 403},
		{"groups twice", direct, "?groups=a&groups=partner", []string{asAlice}, 403},
		{"unknown parameter", direct, "?path=/pricing&x=1", []string{asAlice}, 403},
		{"another case", direct, "?Path=/pricing", []string{asAlice}, 403},
		{"semicolon", direct, "?path=/pricing;x", []string{asAlice}, 403},
		{"raw question mark", direct, "?path=/pricing?x", []string{asAlice}, 403},
		{"a query in it", direct, "?path=/pricing%3Fx", []string{asAlice}, 403},
		{"raw question mark in groups", direct, "?groups=a?b", nil, 403},
		{"bad escape", direct, "?path=%zz", []string{asAlice}, 403},
		{"an ambiguous path", direct, "?path=/pricing/../members/a", []string{asAlice}, 403},
		{"a plus may be a space", direct, "?path=/a+b", []string{asAlice}, 403},
		{"an ampersand of the path's", direct, "?path=/pricing&", []string{asAlice}, 403},
		{"an ampersand of the path's", direct, "?path=/pricing&&groups=partner", []string{asAlice}, 403},
		{"an ampersand in front", direct, "?&path=/pricing", []string{asAlice}, 403},
		{"empty path", direct, "?path=", []string{asAlice}, 403},
		{"a URL", direct, "?path=http://" + testHost + "/pricing", []string{asAlice}, 403},
		{"empty group", direct, "?groups=", []string{asAlice}, 403},
	} {
		c.check(t)
	}
	if n := direct.loads.Load() + direct.begins.Load(); n != 0 {
		t.Errorf("%d times an idle clock was moved or a login begun", n)
	}
}

// A trusted nginx is trusted to ask, but not for headers of visitors that it forwards.
func TestForwardAuthQueryIgnoresOrRefusesHeaders(t *testing.T) {
	t.Parallel()
	cfg := testConfig("http://127.0.0.1:1", gateRules()...)
	direct, behind := newStage(t, staging{cfg: cfg}), newStage(t, staging{cfg: cfg, trusted: true})
	for _, header := range []string{
		uri("/pricing"), uri("/partners/x"), uri(""), uri("/a") + "\r\n" + uri("/a"), "x_forwarded_uri: /pricing",
		"X-Forwarded-Method: GET", "X-Forwarded-Method:", "X_Forwarded-Method: POST", "X-Forwarded-Host: " + testHost,
		"X-Forwarded-Host: evil.example", "X-FORWARDED-HOST:", "x-forwarded_host: a", "X-Original-URL: /pricing",
		"X-Original-URI: /pricing", "X-Original-Method: GET", "X-Rewrite-URL: /pricing", "X-Forwarded-Path: /pricing",
		"X-Forwarded-Prefix: /pricing",
		"X-HTTP-Method-Override: GET", "Forwarded: host=" + testHost,
		"X-Request-Uri: /pricing", "X-Url: /pricing", "X-Original-Path: /pricing", "X.Forwarded.Uri: /pricing",
		"X-Original-Request-Uri: /pricing", "X-Envoy-Original-Path: /pricing", "X-Replaced-Path: /pricing",
	} {
		for _, c := range []asked{
			{"a stranger", direct, "", []string{header, asBob}, 403},
			{"a stranger", direct, "?path=/pricing", []string{header, asBob}, 403},
			{"a stranger, logged out", direct, "?path=/members/a", []string{header}, 403},
			{"a trusted proxy", behind, "", []string{header}, 401},
			{"a trusted proxy", behind, "?path=/pricing", []string{header}, 202},
			{"a trusted proxy", behind, "?path=/partners/x", []string{header, asBob}, 403},
			{"a trusted proxy", behind, "?path=/members/a&groups=partner", []string{header, asAlice}, 202},
		} {
			c.check(t)
		}
	}
	harmless := []string{"X-Forwarded-Proto: https", "X-Forwarded-For: 1.2.3.4", asBob}
	asked{"what names no request", direct, "", harmless, 202}.check(t)
}

func TestForwardAuthHeadersAreParsedStrictly(t *testing.T) {
	t.Parallel()
	cfg := testConfig("http://127.0.0.1:1", gateRules()...)
	direct := newStage(t, staging{cfg: cfg, change: inHeaders})
	behind := newStage(t, staging{cfg: cfg, trusted: true, change: inHeaders})
	host, method := "X-Forwarded-Host: "+testHost, "X-Forwarded-Method: GET"
	for _, c := range []asked{
		{"a stranger", direct, "", []string{uri("/pricing"), asAlice}, 403},
		{"a stranger without a question", direct, "", []string{asAlice}, 403},
		{"no question", behind, "", []string{asAlice}, 403},
		{"an empty one", behind, "", []string{uri(""), asAlice}, 403},
		{"public", behind, "", []string{uri("/pricing?a=b")}, 202},
		{"members, anonymous", behind, "", []string{uri("/members/a")}, 401},
		{"members", behind, "", []string{uri("/members/a?x=1;y"), asBob}, 202},
		{"partners", behind, "", []string{uri("/partners/x"), asBob}, 403},
		{"groups beside it", behind, "?groups=partner", []string{uri("/members/a"), asAlice}, 403},
		{"path beside it", behind, "?path=/pricing", []string{uri("/pricing"), asAlice}, 403},
		{"another parameter beside it", behind, "?x", []string{uri("/pricing"), asAlice}, 403},
		{"two", behind, "", []string{uri("/pricing"), uri("/members/a"), asAlice}, 403},
		{"two, joined", behind, "", []string{uri("/pricing,/members/a"), asAlice}, 403},
		{"two, joined", behind, "", []string{uri("/pricing, /members/a"), asAlice}, 403},
		{"two, joined", behind, "", []string{uri("/pricing?a=b,\t/members/a"), asAlice}, 403},
		{"a comma", behind, "", []string{uri("/pricing?a=b,c"), asAlice}, 202},
		{"two spellings", behind, "", []string{uri("/pricing"), "X_Forwarded_Uri: /pricing", asAlice}, 403},
		{"another spelling alone", behind, "", []string{"X_Forwarded_Uri: /pricing", asAlice}, 403},
		{"another convention", behind, "", []string{uri("/pricing"), "X-Original-URL: /pricing", asAlice}, 403},
		{"another convention", behind, "", []string{uri("/pricing"), "X-Rewrite-Url: /x", asAlice}, 403},
		{"another convention alone", behind, "", []string{"X-Original-URI: /pricing", asAlice}, 403},
		{"a prefix was cut off", behind, "", []string{uri("/pricing"), "X-Forwarded-Prefix: /members", asAlice}, 403},
		{"a proxy on the way", behind, "", []string{uri("/pricing"), "Forwarded: for=1.2.3.4"}, 202},
		{"a preview parameter", behind, "", []string{uri("/pricing?hsDebug=1"), asAlice}, 403},
		{"a fragment", behind, "", []string{uri("/pricing#x"), asAlice}, 403},
		{"a fragment behind the query", behind, "", []string{uri("/pricing?a#x"), asAlice}, 403},
		{"a space in the query", behind, "", []string{uri("/pricing?a b"), asAlice}, 403},
		{"a URL", behind, "", []string{uri("http://www.example.com/pricing"), asAlice}, 403},
		{"another host's URL", behind, "", []string{uri("//evil.example/pricing"), asAlice}, 403},
		{"an ambiguous path", behind, "", []string{uri("/pricing/%2e%2e/members/a"), asAlice}, 403},
		{"method", behind, "", []string{uri("/read/a"), "X-Forwarded-Method: POST", asAlice}, 403},
		{"method", behind, "", []string{uri("/read/a"), "X-Forwarded-Method: GET", asAlice}, 202},
		{"empty method", behind, "", []string{uri("/pricing"), "X-Forwarded-Method:", asAlice}, 403},
		{"two methods", behind, "", []string{uri("/pricing"), method, method, asAlice}, 403},
		{"our host", behind, "", []string{uri("/pricing"), "X-Forwarded-Host: WWW.example.com."}, 202},
		{"our host with its port", behind, "", []string{uri("/pricing"), "X-Forwarded-Host: www.example.com:443"}, 202},
		{"another host", behind, "", []string{uri("/pricing"), "X-Forwarded-Host: evil.example", asAlice}, 403},
		{"empty host", behind, "", []string{uri("/pricing"), "X-Forwarded-Host:", asAlice}, 403},
		{"a list of hosts", behind, "", []string{uri("/pricing"), host + ", " + testHost, asAlice}, 403},
		{"two hosts", behind, "", []string{uri("/pricing"), host, host, asAlice}, 403},
	} {
		c.check(t)
	}
}

func TestForwardAuthRefusalIsLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var rq refusalLog
	for _, c := range []struct {
		cause error
		after time.Duration
		want  bool
	}{
		{errNoForwardedURI, 0, true}, {errNoForwardedURI, 59 * time.Second, false},
		{errAskedTwice, 59 * time.Second, true}, {errNoForwardedURI, time.Minute, true},
		{&urlpath.Error{Reason: "empty_segment"}, 2 * time.Minute, false},
	} {
		if got := rq.due(c.cause, now.Add(c.after)); got != c.want {
			t.Errorf("%v after %s: %v", c.cause, c.after, got)
		}
	}
	var lines strings.Builder
	s := newStage(t, staging{cfg: testConfig("http://127.0.0.1:1", gateRules()...), change: func(d *stubs) {
		inHeaders(d)
		d.Log = slog.New(slog.NewTextHandler(&lines, nil))
	}})
	for range 3 {
		s.get(t, "GET", "/oauth2/auth", uri("/pricing"), "Connection: close")
	}
	s.server.Close()
	if n := strings.Count(lines.String(), "trusted_proxies"); n != 1 {
		t.Errorf("%d lines: %s", n, lines.String())
	}
}

func TestForwardAuthRejectsBody(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{cfg: testConfig("http://127.0.0.1:1", gateRules()...)})
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"} {
		got := s.get(t, method, "/oauth2/auth?path=/pricing", asAlice, "Content-Length: 0", "Connection: close")
		if got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, got.StatusCode, got.Header.Get("Allow"))
		}
	}
	got := s.get(t, "HEAD", "/oauth2/auth?path=/members/a", asBob, "Connection: close")
	if got.StatusCode != http.StatusAccepted {
		t.Errorf("HEAD: %d", got.StatusCode)
	}
}

// nginx cannot encode, so the response has the complete URL.
func TestForwardAuthReturnsLoginURL(t *testing.T) {
	t.Parallel()
	cfg := testConfig("http://127.0.0.1:1", gateRules()...)
	direct, behind := newStage(t, staging{cfg: cfg}), newStage(t, staging{cfg: cfg, trusted: true})
	headers := newStage(t, staging{cfg: cfg, trusted: true, change: inHeaders})
	to := func(s string) string { return "X-Auth-Request-Redirect: " + s }
	long := strings.Repeat("x", 2000)
	for _, c := range []struct {
		stage       *stage
		query, sent string
		want        string
	}{
		{direct, "?path=/members/a", "", "/members/a"},
		{direct, "?path=/members/a", to("/elsewhere"), "/members/a"},
		{behind, "", "", "/"},
		{behind, "", to("/members/a?x=1&rd=/b;c%26+d"), "/members/a?x=1&rd=/b;c%26+d"},
		{behind, "?path=/members/a", to("/members/a?x=1&y=2"), "/members/a?x=1&y=2"},
		{behind, "?path=/members/a", to("/members/a?" + long), "/members/a"},
		{behind, "?path=/members/a", to("/" + long), "/"},
		{behind, "?path=/members/a", to("/one") + "\r\n" + to("/two"), "/members/a"},
		{headers, "", uri("/members/a?x=1&y=%26"), "/members/a?x=1&y=%26"},
	} {
		got := c.stage.get(t, "GET", "/oauth2/auth"+c.query, strings.Fields(strings.ReplaceAll(c.sent, ": ", ":"))...)
		login, err := url.Parse(got.Header.Get(loginHeader))
		query := url.Values{"rd": {c.want}}.Encode()
		right := err == nil && login.Path == "/oauth2/start" && login.Query().Encode() == query
		if got.StatusCode != 401 || !right {
			t.Errorf("%s %.40s: %d %s", c.query, c.sent, got.StatusCode, login)
		}
		if !strings.Contains(got.body, login.String()) {
			t.Errorf("the page does not lead to the login: %s", got.body)
		}
	}
	if got := behind.get(t, "GET", "/oauth2/auth", asBob); got.Header.Get(loginHeader) != "" {
		t.Errorf("the login is offered to %s", asBob)
	}
}
