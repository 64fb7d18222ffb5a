package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

// oneRule returns a change to a configuration with one rule.
func oneRule(r RuleConfig) func(*Config) { return func(c *Config) { c.Rules = []RuleConfig{r} } }

// ruleMistakes are configurations with one mistake each.
var ruleMistakes = []struct {
	name            string
	Change          func(*Config)
	key, text, cure string // parts of them; no key: nothing is wrong
}{
	{"nothing", func(*Config) {}, "", "", ""},
	{"no default", func(c *Config) { c.Default = "" }, "proxy.default", "required", "public, login"},
	{"default", func(c *Config) { c.Default = "privat" }, "proxy.default", `"privat"`, "public, login"},
	{
		"default near miss", func(c *Config) { c.Default = "logn" },
		"proxy.default", `"logn"`, "did you mean login?",
	},
	{
		"HubSpot feature", func(c *Config) { c.HubSpot.Debug = "refused" },
		"proxy.hubspot.debug", `"refused"`, "did you mean refuse?",
	},
	{
		"search page", func(c *Config) { c.HubSpot.SearchPage = "hs-search" },
		"proxy.hubspot.search_page", "is not a path", "/hs-search-results",
	},
	{
		"preview groups without login", func(c *Config) {
			c.HubSpot.Previews, c.HubSpot.PreviewGroups = "refuse", []string{"a"}
		},
		"proxy.hubspot.preview_groups", "no effect", "previews: login",
	},
	{"no path", oneRule(RuleConfig{}), "proxy.rules[0].path", "required", "/members/**"},
	{
		"access", oneRule(RuleConfig{Path: words{"/a"}, Access: "protected"}),
		"proxy.rules[0].access", `"protected"`, "login, public",
	},
	{
		"public with groups", oneRule(RuleConfig{Path: words{"/a"}, Access: "public", Groups: []string{"g"}}),
		"proxy.rules[0].access", "no effect", "remove them",
	},
	{
		"no groups", oneRule(RuleConfig{Path: words{"/a"}, Groups: []string{}}),
		"proxy.rules[0].groups", "empty list", "",
	},
	{"no hosts", oneRule(RuleConfig{Path: words{"/a"}, Hosts: []string{}}), "proxy.rules[0].hosts", "empty list", ""},
	{
		"a URL for a host", oneRule(RuleConfig{Path: words{"/a"}, Hosts: []string{"https://www.example.com/"}}),
		"proxy.rules[0].hosts[0]", "is not a host", `"www.example.com"`,
	},
	{
		"no methods", oneRule(RuleConfig{Path: words{"/a"}, Methods: []string{}}),
		"proxy.rules[0].methods", "empty list", "",
	},
	{
		"no claims", oneRule(RuleConfig{Path: words{"/a"}, Claims: map[string]words{}}),
		"proxy.rules[0].claims", "empty", "",
	},
	{
		"claim without values", oneRule(RuleConfig{Path: words{"/a"}, Claims: map[string]words{"custom:tier": {}}}),
		`proxy.rules[0].claims["custom:tier"]`, "empty list", "",
	},
	{
		"method in lower case", oneRule(RuleConfig{Path: words{"/a"}, Methods: []string{"get"}}),
		"proxy.rules[0].methods[0]", `"get"`, "write GET",
	},
	{
		"unknown method", oneRule(RuleConfig{Path: words{"/a"}, Methods: []string{"GET", "TRACE"}}),
		"proxy.rules[0].methods[1]", `"TRACE"`, "GET, HEAD",
	},
	{
		"space in a group", oneRule(RuleConfig{Path: words{"/a"}, Groups: []string{" staff"}}),
		"proxy.rules[0].groups[0]", "spaces", "",
	},
	{
		"reserved name", oneRule(RuleConfig{Path: words{"/a"}, Name: "hubspot:files"}),
		"proxy.rules[0].name", "is a reserved name", "",
	},
	{
		"name twice", func(c *Config) {
			c.Rules = []RuleConfig{{Path: words{"/a"}, Name: "x", Line: 3}, {Path: words{"/b"}, Name: "x"}}
		},
		"proxy.rules[1].name", "line 3", "different name",
	},
	{
		"test without a URL", func(c *Config) { c.Tests = []TestConfig{{Expect: "public"}} },
		"proxy.tests[0].url", "required", "",
	},
	{
		"test with another word", func(c *Config) { c.Tests = []TestConfig{{URL: "/a", Expect: "allowed"}} },
		"proxy.tests[0].expect", `"allowed"`, "did you mean allow?",
	},
}

func TestRuleMistakesHavePlaceAndCure(t *testing.T) {
	t.Parallel()
	for _, c := range ruleMistakes {
		cfg := accessRules()
		c.Change(&cfg)
		problems := cfg.Validate()
		if c.key == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %+v", c.name, problems)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Key != c.key || !strings.Contains(problems[0].Text, c.text) ||
			!strings.Contains(problems[0].Cure, c.cure) || problems[0].Cure == "" {
			t.Errorf("%s: %+v, want one at %s with %q and %q", c.name, problems, c.key, c.text, c.cure)
			continue
		}
		if strings.Contains(problems[0].Text+problems[0].Cure, "geheim") {
			t.Errorf("%s: shows a password: %+v", c.name, problems[0])
		}
	}
}

func TestRunTestsReportsDecisions(t *testing.T) {
	t.Parallel()
	sites := []*inbound.Site{{Scheme: "https", Host: testHost}, {Scheme: "https", Host: "shop.example.com"}}
	rs := compiled(t, accessRules(loginRule("/members/**"), loginRule("/partners/**", "partner"),
		RuleConfig{Path: words{"/gold"}, Claims: map[string]words{"custom:tier": {"gold"}}},
		RuleConfig{Path: words{"/shop"}, Hosts: []string{"shop.example.com"}}))
	problems := rs.RunTests([]TestConfig{
		{URL: "/pricing", Expect: "public"}, {URL: "/members/a?x=1", Expect: "login"},
		{URL: "/members/a", As: &TestAs{}, Expect: "allow"},
		{URL: "/partners/", As: &TestAs{}, Expect: "forbid"},
		{URL: "/partners/", As: &TestAs{Groups: []string{"partner"}}, Expect: "allow"},
		{URL: "/gold", As: &TestAs{Claims: map[string]words{"custom:tier": {"gold"}}}, Expect: "allow"},
		{URL: "https://shop.example.com/shop", Expect: "login"},
		{URL: "https://SHOP.example.com:443", Expect: "public"},
		{URL: "/shop", Expect: "public"}, {URL: "/a/../b", Expect: "refuse"},
		{URL: "/pricing?hsDebug=1", Expect: "refuse"}, {URL: "/a b", Expect: "public"},
		{URL: "/members/a", Expect: "public"}, {URL: "https://evil.example/", Expect: "public"},
	}, sites, fixedNow)
	want := []setting.Problem{
		{Key: "proxy.tests[12]", Text: `"/members/a" is login (no_session, by rule "/members/**"), expected public`},
		{Key: "proxy.tests[13].url", Text: `"evil.example" is not a public host`},
	}
	for i, p := range problems {
		if i >= len(want) || p.Key != want[i].Key || p.Text != want[i].Text || p.Cure == "" {
			t.Errorf("%+v", p)
		}
	}
	if len(problems) != len(want) {
		t.Errorf("%d problems, want %d", len(problems), len(want))
	}
}

func TestNearMissesHaveReasons(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(loginRule("/**"), loginRule("/members/**"), publicRule("/members/join"),
		RuleConfig{Path: words{"/members/*"}, Hosts: []string{"shop.example.com"}}))
	var got []string
	for _, miss := range rs.NearMisses(testHost, mustPath(t, "/members/join")) {
		got = append(got, miss.Rule.Name+": "+miss.Why)
	}
	want := "/**: matches, but the rule that decides is more specific\n" +
		"/members/**: matches, but the rule that decides is more specific\n" +
		"/members/*: matches the path, but not on this host"
	if strings.Join(got, "\n") != want {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

func TestProtectionMoreOpen(t *testing.T) {
	t.Parallel()
	at := func(cfg Config, raw string) Protection {
		return compiled(t, cfg).Protection(testHost, mustPath(t, raw), 0)
	}
	with := func(rules ...RuleConfig) Config { return accessRules(rules...) }
	for _, c := range []struct {
		name        string
		now, before Protection
		opener      bool
		words       string
	}{
		{"a rule goes", at(with(), "/a"), at(with(loginRule("/a")), "/a"), true, "public"},
		{"a rule comes", at(with(loginRule("/a", "g")), "/a"), at(with(), "/a"), false, "login, groups g"},
		{"a group more", at(with(loginRule("/a", "g", "h")), "/a"), at(with(loginRule("/a", "g")), "/a"), true,
			"login, groups g|h"},
		{"a group less", at(with(loginRule("/a", "g")), "/a"), at(with(loginRule("/a", "g", "h")), "/a"), false,
			"login, groups g"},
		{"an older login", at(with(RuleConfig{Path: words{"/a"}, MaxAuthAge: 7200e9}), "/a"),
			at(with(RuleConfig{Path: words{"/a"}, MaxAuthAge: 3600e9}), "/a"), true, "login, max_auth_age 2h"},
		{"methods", at(with(RuleConfig{Path: words{"/a"}}), "/a"),
			at(with(RuleConfig{Path: words{"/a"}, Methods: []string{"GET"}}), "/a"), true, "login"},
		{"a rule for another address of the file goes", at(with(loginRule("/hubfs/**")), "/hs-fs/hubfs/a"),
			at(with(loginRule("/hubfs/**"), loginRule("/hs-fs/hubfs/a", "g")), "/hubfs/a"), true, "login"},
		{"search, when the last rule goes", at(with(), "/_hcms/search"), at(with(loginRule("/a")), "/_hcms/search"),
			true, "public"},
		{"diagnostics opened", at(func() Config { c := with(); c.HubSpot.Diagnostics = "login"; return c }(),
			"/_hcms/diagnostics"), at(with(), "/_hcms/diagnostics"), true, "login"},
	} {
		if c.now.MoreOpen(c.before) != c.opener || c.now.String() != c.words {
			t.Errorf("%s: %q after %q, more open %t", c.name, c.now, c.before, c.now.MoreOpen(c.before))
		}
		if c.now.MoreOpen(c.now) || c.before.MoreOpen(c.before) {
			t.Errorf("%s: more open than itself", c.name)
		}
	}
}

func TestOpenedBy(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(loginRule("/members/**"), loginRule("/partners/**", "partner"), publicRule("/x"),
		tierRule("/gold/**", "gold"), RuleConfig{Path: []string{"/both/**"}, Groups: []string{"partner"},
			Lists: []string{"customers"}}))
	var got []string
	for _, o := range rs.OpenedBy(LoggedIn([]string{"staff"}, nil, fixedNow), fixedNow) {
		got = append(got, o.Paths[0]+" "+o.Asks+" "+o.Unmet.Reason)
	}
	want := []string{"/members/** login ", "/partners/** login, groups partner groups",
		"/gold/** login, hubspot.tier gold crm_unknown", "/both/** login, groups partner, lists customers (7) groups"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
