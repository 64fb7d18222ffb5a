package rules

import (
	"testing"

	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

func TestFileHasOneDecisionAtAllAddresses(t *testing.T) {
	t.Parallel()
	addresses := []string{"/hubfs/%s", "/hubfs/4711/%s", "/hs-fs/hubfs/%s", "/hs-fs/hubfs/4711/%s", "/hub/4711/%s",
		"/hub/4711/hubfs/%s", "/hs-fs/hub/4711/%s", "/hs-fs/hub/4711/hubfs/%s", "/HUBFS/%s", "/hubfs/99/%s"}
	alice := LoggedIn([]string{"partner"}, nil, fixedNow)
	bob := LoggedIn(nil, nil, fixedNow)
	for _, spelled := range []string{"/hubfs/private/**", "/hubfs/4711/private/**", "/hs-fs/hubfs/private/**",
		"/hub/4711/private/**", "/hub/*/hubfs/private/**", "/hubfs/**/x.pdf", "/hs-fs/**", "/hubfs/*/private/**",
		"/hubfs/priv*/x.pdf"} {
		rs := compiled(t, accessRules(loginRule(spelled, "partner"), loginRule("/members/**")))
		for _, address := range addresses {
			path := mustPath(t, replace(address, "private/x.pdf"))
			for _, c := range []struct {
				who  *session.Session
				want Kind
			}{{nil, Login}, {bob, Forbid}, {alice, Allow}} {
				d := rs.Match(testHost, path).Decide("GET", 0, c.who, fixedNow)
				if d.Kind != c.want || d.Rule.Name != spelled {
					t.Errorf("rule %s: %s is %s by %s, want %s", spelled, path, d.Kind, d.Rule.Name, c.want)
				}
			}
		}
	}
}

func replace(format, name string) string {
	for i := 0; i+1 < len(format); i++ {
		if format[i:i+2] == "%s" {
			return format[:i] + name + format[i+2:]
		}
	}
	return format
}

func TestFileMustSatisfyAllRules(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(loginRule("/hubfs/a/**"), loginRule("/hs-fs/hubfs/a/b/**", "partner"),
		publicRule("/hubfs/a/b/open.png"), loginRule("/**", "staff")))
	bob, alice := LoggedIn(nil, nil, fixedNow), LoggedIn([]string{"partner"}, nil, fixedNow)
	for _, c := range []struct {
		path string
		who  *session.Session
		want Kind
		rule string
	}{
		{"/hubfs/a/x", nil, Login, "/hubfs/a/**"}, {"/hubfs/a/x", bob, Allow, "/hubfs/a/**"},
		{"/hubfs/a/b/x", nil, Login, "/hubfs/a/**"}, {"/hubfs/a/b/x", bob, Forbid, "/hs-fs/hubfs/a/b/**"},
		{"/hubfs/a/b/x", alice, Allow, "/hs-fs/hubfs/a/b/**"},
		{"/hubfs/a/b/open.png", bob, Forbid, "/hs-fs/hubfs/a/b/**"},
		{"/hubfs/a/b/open.png", alice, Allow, "/hubfs/a/b/open.png"},
		{"/hubfs/c", nil, Public, "hubspot:files"}, {"/hs-fs/hubfs/c.png", nil, Public, "hubspot:files"},
		{"/hub/4711/file-123-pdf/x.pdf", nil, Login, "hubspot:files"},
		{"/hs-fs/hub/4711/file-123.png", nil, Login, "hubspot:files"},
		{"/hub/4711/file-123-pdf/x.pdf", bob, Forbid, "/**"},
		{validationFile, nil, Public, "hubspot:validation"},
	} {
		if d := rs.Match(testHost, mustPath(t, c.path)).Decide("GET", 0, c.who, fixedNow); d.Kind != c.want ||
			d.Rule.Name != c.rule {
			t.Errorf("%s: %s by %s, want %s by %s", c.path, d.Kind, d.Rule.Name, c.want, c.rule)
		}
	}
}

func TestBuiltinRulesYieldToConfiguredOnes(t *testing.T) {
	t.Parallel()
	open := []string{"/hubfs/a.png", "/hs-fs/hubfs/a.png", "/_hcms/forms/v2.js", "/hs/hsstatic/x.js", "/cs/c/",
		"/e3t/Ctc/x", "/cdn-cgi/challenge-platform/x", "/robots.txt", "/favicon.ico", "/.well-known/x", validationFile,
		"/hs/manage-preferences/x", "/hs/preferences-center/y"}
	cfg := accessRules(loginRule("/hs/**"), loginRule("/**"))
	cfg.Default = "login"
	rs := compiled(t, cfg)
	for _, raw := range open {
		if d := rs.Match(testHost, mustPath(t, raw)).Decide("GET", 0, nil, fixedNow); d.Kind != Public {
			t.Errorf("%s: %s by %s", raw, d.Kind, d.Rule.Name)
		}
	}
	for _, raw := range []string{"/", "/hs/other", "/hub/4711/x", "/_hcms/api/x", "/hs/serverless/x", "/sitemap.xml"} {
		if d := rs.Match(testHost, mustPath(t, raw)).Decide("GET", 0, nil, fixedNow); d.Kind != Login {
			t.Errorf("%s: %s by %s", raw, d.Kind, d.Rule.Name)
		}
	}
	rs = compiled(t, accessRules(loginRule("/hubfs/**"), loginRule("/robots.txt")))
	for _, raw := range []string{"/hubfs/a.png", "/hs-fs/hubfs/a.png", "/robots.txt"} {
		if d := rs.Match(testHost, mustPath(t, raw)).Decide("GET", 0, nil, fixedNow); d.Kind != Login {
			t.Errorf("with a rule of its own, %s: %s by %s", raw, d.Kind, d.Rule.Name)
		}
	}
}

func TestHubSpotFeaturesAskForLogin(t *testing.T) {
	t.Parallel()
	bob, alice := LoggedIn(nil, nil, fixedNow), LoggedIn([]string{"staff"}, nil, fixedNow)
	for _, c := range []struct {
		name   string
		Change func(*Config)
		raw    string
		query  string
		who    *session.Session
		want   Kind
	}{
		{"preview", nil, "/", "hs_preview=k-1", nil, Login}, {"preview", nil, "/", "hs_preview=k-1", bob, Allow},
		{"preview path", nil, "/_hcms/preview/x", "", nil, Login},
		{"draft", nil, "/-temporary-slug-0a1b", "", nil, Login},
		{"draft below", nil, "/de/-Temporary-Slug-0a1b", "", nil, Login},
		{"preview groups", func(c *Config) { c.HubSpot.PreviewGroups = []string{"staff"} }, "/", "hs_preview=k-1", bob,
			Forbid},
		{"preview groups", func(c *Config) { c.HubSpot.PreviewGroups = []string{"staff"} }, "/_hcms/preview/x", "",
			alice, Allow},
		{"an empty list narrows nothing", func(c *Config) { c.HubSpot.PreviewGroups = []string{} }, "/",
			"hs_preview=k-1", bob, Allow},
		{"preview on a page for a group", nil, "/board", "hs_preview=k-1", bob, Forbid},
		{"debug", nil, "/", "hsDebug=true", alice, Refuse},
		{"debug in disguise", nil, "/", "a=b;HSDEBUG", alice, Refuse},
		{"escaped debug", nil, "/", "hs%44ebug=1", alice, Refuse},
		{"cache buster", nil, "/", "x&hsCacheBuster=1", nil, Refuse},
		{"developer mode", nil, "/", "developerMode[]=true", nil, Refuse},
		{"a value is no name", nil, "/", "q=hsDebug", nil, Public},
		{"diagnostics", nil, "/_hcms/diagnostics", "", alice, Refuse},
		{"worker", nil, "/_HCMS/_worker/headers", "", alice, Refuse},
		{"diagnostics opened to logins", func(c *Config) { c.HubSpot.Diagnostics = "login" }, "/_hcms/diagnostics", "",
			bob, Allow},
		{"search", nil, "/_hcms/search", "term=a", nil, Login},
		{"results page", nil, "/HS-Search-Results/", "", nil, Login},
		{"search of an open site", func(c *Config) { c.Rules = nil }, "/_hcms/search", "", nil, Public},
		{"search of a closed site", func(c *Config) { c.Rules, c.Default = nil, "login" }, "/_hcms/search", "", nil,
			Login},
		{"another results page", func(c *Config) { c.HubSpot.SearchPage = "/suche" }, "/suche", "", nil, Login},
		{"a rule of its own", func(c *Config) { c.Rules = append(c.Rules, publicRule("/_hcms/search")) },
			"/_hcms/search", "", nil, Public},
		{"a wider rule may ask for more",
			func(c *Config) { c.Rules = append(c.Rules, loginRule("/_hcms/**", "staff")) }, "/_hcms/search", "", bob,
			Forbid},
		{"a wider rule cannot open", func(c *Config) { c.Rules = append(c.Rules, publicRule("/_hcms/**")) },
			"/_hcms/diagnostics", "", nil, Refuse},
		{"feed of a protected blog", func(c *Config) { c.Rules = append(c.Rules, loginRule("/blog/**")) },
			"/blog/rss.xml", "", nil, Login},
		{"AMP", nil, "/board", "hs_amp=true", nil, Login},
	} {
		cfg := accessRules(loginRule("/board", "staff"))
		if c.Change != nil {
			c.Change(&cfg)
		}
		if d := compiled(t, cfg).Match(testHost, mustPath(t, c.raw)).Decide("GET", urlpath.ParsePreviewParams(c.query),
			c.who, fixedNow); d.Kind != c.want {
			t.Errorf("%s: %s?%s is %s (%s by %s), want %s", c.name, c.raw, c.query, d.Kind, d.Reason, d.Rule.Name,
				c.want)
		}
	}
}

func TestClaimsCompareAsText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		claim  any
		wanted string
		want   bool
	}{
		{"gold", "gold", true}, {"gold", "Gold", false}, {true, "true", true}, {float64(3), "3", true},
		{float64(12345678), "12345678", true}, {1.5, "1.5", true}, {nil, "", false}, {nil, "<nil>", false},
		{[]any{"a", "b"}, "b", true}, {[]any{float64(1), nil}, "1", true}, {[]any{}, "", false},
		{[]any{nil}, "<nil>", false}, {[]string{"x"}, "x", true}, {map[string]any{"a": "b"}, "map[a:b]", false},
		{"", "", true},
	} {
		rs := compiled(t, accessRules(RuleConfig{Path: []string{"/a"},
			Claims: map[string]words{"c": {"other", c.wanted}}}))
		s := LoggedIn(nil, map[string]any{"c": c.claim}, fixedNow)
		if got := rs.Match(testHost, mustPath(t, "/a")).Decide("GET", 0, s, fixedNow).Kind == Allow; got != c.want {
			t.Errorf("%#v as %q: %t", c.claim, c.wanted, got)
		}
	}
	rs := compiled(t, accessRules(RuleConfig{Path: []string{"/a"}, Groups: []string{"g"},
		Claims: map[string]words{"c": {"1"}, "d": {"2"}}}))
	for _, c := range []struct {
		groups []string
		claims map[string]any
		want   Kind
	}{
		{[]string{"g"}, map[string]any{"c": "1", "d": "2"}, Allow}, {nil, map[string]any{"c": "1", "d": "2"}, Forbid},
		{[]string{"g"}, map[string]any{"c": "1"}, Forbid}, {[]string{"G"}, map[string]any{"c": "1", "d": "2"}, Forbid},
	} {
		if d := rs.Match(testHost, mustPath(t, "/a")).Decide("GET", 0, LoggedIn(c.groups, c.claims, fixedNow),
			fixedNow); d.Kind != c.want {
			t.Errorf("%v %v: %s", c.groups, c.claims, d.Kind)
		}
	}
}
