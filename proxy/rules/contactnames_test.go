package rules

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

// testAs returns a configuration with one test, of a visitor.
func testAs(as TestAs) Config {
	cfg := accessRules()
	cfg.Tests = []TestConfig{{URL: "/a", As: &as, Expect: "allow"}}
	return cfg
}

func TestUnknownNamesAreErrorsWithCure(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg             Config
		key, text, cure string
	}{
		"misspelled list": {accessRules(listRule("/a", "customers", "custmers")), "proxy.rules[0].lists[1]",
			`"custmers" is not in`, "did you mean customers?"},
		"other list": {accessRules(listRule("/a", "subscribers")), "proxy.rules[0].lists[0]", "is not in",
			"known lists: beta, customers"},
		"id for name": {accessRules(listRule("/a", "7")), "proxy.rules[0].lists[0]", "the id of a list", "write customers"},
		"misspelled property": {accessRules(RuleConfig{Path: []string{"/a"}, Claims: map[string]setting.Words{
			"hubspot.teir": {"x"}}}), `proxy.rules[0].claims["hubspot.teir"]`, "is not read", "did you mean tier?"},
		"label of a list": {accessRules(listRule("/a", "VIP Kunden")), "proxy.rules[0].lists[0]", "is not in",
			"under a short name"},
		"joined lists": {accessRules(listRule("/a", "customers,beta")), "proxy.rules[0].lists[0]", "is not in",
			"write a list: [customers, beta]"},
		"label of a property": {testAs(TestAs{Properties: map[string]setting.Words{"a.b": {"1"}}}),
			`proxy.tests[0].as.properties["a.b"]`, "is not in", "write the internal name"},
		"list of a test": {testAs(TestAs{Lists: []string{"x"}}), "proxy.tests[0].as.lists[0]", "is not in", "known lists"},
		"property of a test": {testAs(TestAs{Properties: map[string]setting.Words{"member_since": {"1"}}}),
			"proxy.tests[0].as.properties.member_since", "is not in", "known properties: tier, portal_groups"},
	} {
		_, problems := New(c.cfg, testEnv())
		if len(problems) != 1 || !strings.HasPrefix(problems[0].Key, c.key) || problems[0].Warning ||
			!strings.Contains(problems[0].Text, c.text) || !strings.Contains(problems[0].Cure, c.cure) {
			t.Errorf("%s: %+v", name, problems)
		}
	}
	if _, problems := New(accessRules(listRule("/a", "customers")), Env{}); len(problems) != 1 ||
		!strings.Contains(problems[0].Cure, "add it there") {
		t.Errorf("without any list: %+v", problems)
	}
}

func TestMessagesNameFewOfManyNames(t *testing.T) {
	t.Parallel()
	env := testEnv()
	for i := range 10_000 {
		env.Lists["list"+strconv.Itoa(i)] = strconv.Itoa(1000 + i)
		env.Properties = append(env.Properties, "property"+strconv.Itoa(i))
	}
	for _, bad := range []*setting.Invalid{
		env.ListMistake("subscribers"), env.PropertyMistake("member_since"),
		env.ListMistake(strings.Repeat("customers,", 1000)),
	} {
		if len(bad.Error()) > 500 || !strings.Contains(bad.Cure, "more") {
			t.Errorf("%.600s", bad.Error())
		}
	}
}

func TestContactClaimsAreChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ claim, value, text, cure string }{
		"no property":      {"hubspot", "x", "names no property", "hubspot.member_tier"},
		"only a dot":       {"hubspot.", "x", "names no property", "hubspot.member_tier"},
		"capitals":         {"HubSpot.tier", "x", "lower case", "write hubspot.tier"},
		"capitals, dot":    {"HUBSPOT", "x", "names no property", "hubspot.member_tier"},
		"a space":          {" hubspot.tier", "x", "lower case", "write hubspot.tier"},
		"a long s":         {"hub\u017fpot.tier", "x", "lower case", "write hubspot.tier"},
		"zero width":       {"hubspot\u200b.tier", "x", `"hubspot\u200b.tier" only looks like`, "write hubspot.tier with"},
		"a filler":         {"hub\u3164spot.tier", "x", "only looks like", "write hubspot.tier with plain"},
		"full width":       {"ｈｕｂｓｐｏｔ．tier", "x", "only looks like", "write hubspot.tier with plain"},
		"full-width dot":   {"hubspot．tier", "x", "only looks like", "write hubspot.tier with plain"},
		"joined values":    {"hubspot.tier", "gold;silver", "never matches", "write a list: [gold, silver]"},
		"only a separator": {"hubspot.tier", ";", "never matches", "write the values"},
		"spaces around":    {"hubspot.tier", "gold ", "has spaces around it", "remove the spaces"},
		"empty value":      {"hubspot.tier", "", "never matches", "write the values"},
	} {
		r := RuleConfig{Path: []string{"/a"}, Claims: map[string]setting.Words{c.claim: {c.value}}}
		problems := accessRules(r).Validate()
		if len(problems) != 1 || !strings.HasPrefix(problems[0].Key, setting.Join("proxy.rules[0].claims", c.claim)) ||
			!strings.Contains(problems[0].Text, c.text) || !strings.Contains(problems[0].Cure, c.cure) {
			t.Errorf("%s: %+v", name, problems)
		}
	}
	problems := accessRules(listRule("/a", "customers", "beta", "customers")).Validate()
	if len(problems) != 1 || !problems[0].Warning || problems[0].Key != "proxy.rules[0].lists[2]" {
		t.Errorf("a list that is named twice: %+v", problems)
	}
	for _, claim := range []string{"hubspot.tier", "hubspot_tier", "custom:hubspot", "hubspotter"} {
		r := RuleConfig{Path: []string{"/a"}, Claims: map[string]setting.Words{claim: {"gold"}}}
		if problems := accessRules(r).Validate(); len(problems) != 0 {
			t.Errorf("%s: %+v", claim, problems)
		}
	}
	cfg := testAs(TestAs{Claims: map[string]setting.Words{"hubspot.tier": {"gold"}}})
	if problems := cfg.Validate(); len(problems) != 1 || !strings.Contains(problems[0].Cure, "properties") {
		t.Errorf("a test: %+v", problems)
	}
}

func TestTestsKnowListsAndProperties(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(listRule("/list", "customers"), tierRule("/tier", "gold"),
		RuleConfig{Path: []string{"/groups"}, Claims: map[string]setting.Words{"hubspot.portal_groups": {"b"}}}))
	site := []*inbound.Site{{Scheme: "https", Host: testHost}}
	tests := []TestConfig{
		{URL: "/list", As: &TestAs{Lists: []string{"beta", "customers"}}, Expect: "allow"},
		{URL: "/list", As: &TestAs{Lists: []string{"beta"}}, Expect: "forbid"},
		{URL: "/list", As: &TestAs{}, Expect: "forbid"},
		{URL: "/list", As: &TestAs{Lists: []string{"customers"}, Claims: map[string]setting.Words{
			"email_verified": {"false"}}}, Expect: "forbid"},
		{URL: "/list", As: &TestAs{Lists: []string{"customers"}, Claims: map[string]setting.Words{
			"email": {"a@b@c"}}}, Expect: "forbid"},
		{URL: "/list", As: &TestAs{Lists: []string{"customers"}, Claims: map[string]setting.Words{
			"email": {"ada@example.com"}, "email_verified": {"true"}}}, Expect: "allow"},
		{URL: "/list", Expect: "login"},
		{URL: "/tier", As: &TestAs{Properties: map[string]setting.Words{"tier": {"gold"}}}, Expect: "allow"},
		{URL: "/tier", As: &TestAs{Lists: []string{"customers"}}, Expect: "forbid"},
		{URL: "/groups", As: &TestAs{Properties: map[string]setting.Words{"portal_groups": {"a;b"}}}, Expect: "allow"},
	}
	if problems := rs.RunTests(tests, site, fixedNow); len(problems) != 0 {
		t.Errorf("%+v", problems)
	}
	tests[1].Expect = "allow"
	problems := rs.RunTests(tests, site, fixedNow)
	if len(problems) != 1 || !strings.Contains(problems[0].Text, "is forbid (lists") {
		t.Errorf("%+v", problems)
	}
}

// A rule admits the contacts of a list, whatever name it has.
func TestDiffComparesListIDs(t *testing.T) {
	t.Parallel()
	set := func(name, id string, more ...string) *Set {
		env := testEnv()
		env.Lists[name] = id
		rs, _ := New(accessRules(listRule("/a", append(more, name)...)), env)
		return rs
	}
	was := set("customers", "7")
	change := func(was, is string, open bool) Change {
		return Change{Place: "/a", Example: "/a", Host: testHost, Was: "login, lists " + was, Is: "login, lists " + is,
			MoreOpen: open}
	}
	for name, c := range map[string]struct {
		is   *Set
		want Changes
	}{
		"the same":     {set("customers", "7"), nil},
		"another id":   {set("customers", "9"), Changes{change("customers (7)", "customers (9)", true)}},
		"another name": {set("buyers", "7"), nil},
		"one more":     {set("customers", "7", "beta"), Changes{change("customers (7)", "beta (8)|customers (7)", true)}},
	} {
		if d := cmp.Diff(c.want, Diff(was, c.is, []string{testHost})); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
