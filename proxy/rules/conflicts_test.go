package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/internal/setting"
)

// conflictingRules are rules, and the problems of each set as a whole.
var conflictingRules = []struct {
	name  string
	rules []RuleConfig
	want  []string // "key: beginning of the text"
}{
	{"a pattern twice", []RuleConfig{loginRule("/a/**"), loginRule("/A/**/")},
		[]string{`proxy.rules[1].path: "/A/**/" and "/a/**" (line 10) match the same paths`}},
	{"three times is told twice", []RuleConfig{loginRule("/a"), loginRule("/a"), publicRule("/a")},
		[]string{"proxy.rules[1].path", "proxy.rules[2].path"}},
	{"globs of the same weight that meet", []RuleConfig{loginRule("/a*"), loginRule("/*a")},
		[]string{`proxy.rules[1].path: "/*a" and "/a*" (line 10) match the same paths`}},
	{"globs of the same weight that do not", []RuleConfig{loginRule("/a*"), loginRule("/b*")}, nil},
	{"weight counts characters", []RuleConfig{loginRule("/ü*"), loginRule("/*ab")}, nil},
	{"same pattern, other hosts", []RuleConfig{onHosts(loginRule("/a"), testHost),
		onHosts(loginRule("/a"), "shop.example.com")}, nil},
	{"same pattern, overlapping hosts", []RuleConfig{onHosts(loginRule("/a"), testHost), onHosts(loginRule("/a"), testHost,
		"shop.example.com")}, []string{"proxy.rules[1].path"}},
	{"same pattern, one with hosts", []RuleConfig{loginRule("/a"), onHosts(loginRule("/a"), testHost)}, nil},
	{"every host named", []RuleConfig{loginRule("/a"), onHosts(loginRule("/a"), testHost, "shop.example.com")},
		[]string{`proxy.rules[0].path: "/a" never applies: "/a" (line 11)`}},
	{"a wider one that ends sooner", []RuleConfig{loginRule("/a/**/b"), loginRule("/a/**")},
		[]string{`proxy.rules[0].path: "/a/**/b" never applies: "/a/**" (line 11)`}},
	{"an overlap that opens", []RuleConfig{loginRule("/*/private"), publicRule("/blog/**")},
		[]string{`proxy.rules[1].path: "/blog/**" and "/*/private" (line 10) both match "/blog/private", ` +
			`where the more open one, "/blog/**", would apply`}},
	{"an overlap that closes", []RuleConfig{publicRule("/*/private"), loginRule("/blog/**")}, nil},
	{"an overlap with a public rule whose groups have no effect",
		[]RuleConfig{loginRule("/blog/**"), {Path: []string{"/*/x"}, Access: "public", Groups: []string{"staff"}}}, nil},
	{"an overlap by groups", []RuleConfig{loginRule("/*/x", "staff"), loginRule("/a/**", "staff", "guest")},
		[]string{"proxy.rules[1].path"}},
	{"an exception inside", []RuleConfig{loginRule("/a/**"), publicRule("/a/join")}, nil},
	{"an exception that lacks hosts", []RuleConfig{onHosts(loginRule("/a/**"), testHost), publicRule("/a/join")},
		[]string{`warning proxy.rules[1].path: "/a/join" (line 11) opens part of "/a/**" (line 10) on every host`}},
	{"an exception that lacks hosts, with *", []RuleConfig{publicRule("/a/j*"), onHosts(loginRule("/a/**"), testHost)},
		[]string{"warning proxy.rules[1].path"}},
	{"the validation file", []RuleConfig{loginRule("/hubfs/hs-reverse-proxy-validation-test")},
		[]string{`proxy.rules[0].path: "/hubfs/hs-reverse-proxy-validation-test" must stay public: HubSpot fetches it`}},
	{"all files", []RuleConfig{loginRule("/hubfs/**"), loginRule("/hs/**"), loginRule("/**")}, nil},
	{"preferences", []RuleConfig{loginRule("/hs/manage-preferences/unsubscribe/**")},
		[]string{"proxy.rules[0].path"}},
	{"preferences by a *", []RuleConfig{loginRule("/hs/preferences-center/*")}, []string{"proxy.rules[0].path"}},
	{"e-mail links", []RuleConfig{loginRule("/e3t/**")}, []string{"proxy.rules[0].path"}},
	{"own endpoints", []RuleConfig{publicRule("/OAuth2/start")},
		[]string{`proxy.rules[0].path: "/OAuth2/start" is among the gateway's own endpoints`}},
	{"second pattern of a list", []RuleConfig{loginRule("/a"), {Path: []string{"/b", "/a"}}},
		[]string{"proxy.rules[1].path[1]"}},
}

func TestConflictingRulesAreErrors(t *testing.T) {
	t.Parallel()
	for _, c := range conflictingRules {
		_, problems := New(accessRules(c.rules...),
			Env{Hosts: []string{testHost, "shop.example.com"}, AuthPrefix: "/oauth2"})
		var got []string
		problems = slices.DeleteFunc(problems, func(p setting.Problem) bool {
			return strings.Contains(p.Text, " leaves ")
		})
		for i, p := range problems {
			text := p.Key + ": " + p.Text
			if p.Warning {
				text = "warning " + text
			}
			if p.Cure == "" {
				t.Errorf("%s: no cure for %s", c.name, text)
			}
			if i < len(c.want) && strings.HasPrefix(text, c.want[i]) {
				text = c.want[i]
			}
			got = append(got, text)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
