package proxy

import (
	"strings"
	"testing"
)

func TestTheQuestionOfAnotherServerIsReadStrictly(t *testing.T) {
	t.Parallel()
	cfg := testConfig("http://127.0.0.1:1", gateRules()...)
	direct := newStage(t, staging{cfg: cfg})
	behind := newStage(t, staging{cfg: cfg, trusted: true})
	uri := func(s string) string { return "X-Forwarded-Uri: " + s }
	for _, c := range []struct {
		name    string
		stage   *stage
		query   string
		headers []string
		status  int
	}{
		{"nobody", direct, "", nil, 401},
		{"somebody", direct, "", []string{asBob}, 202},
		{"store away", direct, "", []string{"Cookie: __Host-hubgate=broken"}, 503},
		{"in a group", direct, "?groups=staff,partner", []string{asAlice}, 202},
		{"in no group", direct, "?groups=partner", []string{asBob}, 403},
		{"nobody, groups", direct, "?groups=partner", nil, 401},
		{"public path", direct, "?path=/pricing", nil, 202},
		{"public path, groups are and-ed", direct, "?path=/pricing&groups=partner", nil, 401},
		{"public path, groups are and-ed", direct, "?path=/pricing&groups=partner", []string{asBob}, 403},
		{"members, nobody", direct, "?path=/members/a", nil, 401},
		{"members", direct, "?path=%2FMembers%2Fa", []string{asBob}, 202},
		{"partners", direct, "?path=/partners/", []string{asBob}, 403},
		{"a space", direct, "?path=%2Fmembers%2Fa%2520b", []string{asBob}, 202},
		{"too old a login", direct, "?path=/fresh/a", []string{asBob}, 401},
		{"path twice", direct, "?path=/pricing&path=/members/a", []string{asAlice}, 403},
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
		{"empty path", direct, "?path=", []string{asAlice}, 403},
		{"empty group", direct, "?groups=", []string{asAlice}, 403},
		{"headers of a stranger do not count", direct, "", []string{uri("/pricing")}, 401},
		{"headers of a proxy", behind, "", []string{uri("/pricing?a=b")}, 202},
		{"headers of a proxy", behind, "", []string{uri("/members/a")}, 401},
		{"headers and groups", behind, "?groups=partner", []string{uri("/members/a"), asAlice}, 202},
		{"header and query", behind, "?path=/pricing", []string{uri("/pricing"), asAlice}, 403},
		{"two headers", behind, "", []string{uri("/pricing"), uri("/members/a"), asAlice}, 403},
		{"a door", behind, "", []string{uri("/pricing?hsDebug=1"), asAlice}, 403},
		{"a fragment", behind, "", []string{uri("/pricing#x"), asAlice}, 403},
		{"a URL", behind, "", []string{uri("http://www.example.com/pricing"), asAlice}, 403},
		{"method", behind, "", []string{uri("/read/a"), "X-Forwarded-Method: POST", asAlice}, 403},
		{"method", behind, "", []string{uri("/read/a"), "X-Forwarded-Method: GET", asAlice}, 202},
		{"our host", behind, "", []string{uri("/pricing"), "X-Forwarded-Host: WWW.example.com."}, 202},
		{"a host of somebody else", behind, "", []string{uri("/pricing"), "X-Forwarded-Host: evil.example", asAlice}, 403},
		{"two hosts", behind, "", []string{uri("/pricing"), "X-Forwarded-Host: " + testHost, "X-Forwarded-Host: " + testHost, asAlice}, 403},
	} {
		got := c.stage.get(t, "GET", "/oauth2/auth"+c.query, append(c.headers, "Connection: close")...)
		if got.StatusCode != c.status || !strings.Contains(got.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s: %s %v: %d, want %d", c.name, c.query, c.headers, got.StatusCode, c.status)
		}
	}
	if n := direct.loads.Load() + behind.loads.Load() + direct.begins.Load(); n != 0 {
		t.Errorf("%d times an idle clock was moved or a login begun", n)
	}
}
