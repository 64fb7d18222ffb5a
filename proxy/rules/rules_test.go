package rules

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/pattern"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

func mustPath(t testing.TB, raw string) urlpath.Path {
	t.Helper()
	p, err := urlpath.Parse(raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return p
}

func accessRules(rules ...RuleConfig) Config {
	cfg := Config{Default: "public", HubSpot: DefaultHubSpot(), Rules: rules}
	for i := range cfg.Rules {
		cfg.Rules[i].Line = i + 10
	}
	return cfg
}

func testEnv() Env {
	return Env{Hosts: []string{testHost, "shop.example.com"}, AuthPrefix: "/oauth2",
		Lists: map[string]string{"customers": "7", "beta": "8"}, Properties: []string{"tier", "portal_groups"}}
}

func compiled(t testing.TB, cfg Config) *Set {
	t.Helper()
	rs, problems := New(cfg, testEnv())
	for _, p := range problems {
		if !p.Warning {
			t.Fatalf("%s: %s", p.Key, p.Text)
		}
	}
	return rs
}

func TestMostSpecificRuleDecides(t *testing.T) {
	t.Parallel()
	rules := []RuleConfig{
		loginRule("/**"), loginRule("/members/**"), loginRule("/members"), publicRule("/members/join"),
		loginRule("/members/j*"), loginRule("/members/*"),
		loginRule("/docs/*/secret"), loginRule("/docs/**"), loginRule("/a/**/z"), loginRule("/report-*"),
		loginRule("/re*"), loginRule("/Straße/**"),
		{Path: []string{"/board/**"}, Name: "board on shop", Hosts: []string{"shop.example.com"}},
		{Path: []string{"/board/**"}, Name: "board"},
	}
	want := map[string]string{
		"/": "/**", "/x": "/**", "/members": "/members", "/MEMBERS/": "/members", "/members/join": "/members/join",
		"/members/Join/": "/members/join",
		"/members/joy":   "/members/j*", "/members/x": "/members/*", "/members/x/y": "/members/**", "/membersx": "/**",
		"/docs": "/docs/**", "/docs/1/secret": "/docs/*/secret", "/docs/1/secret/x": "/docs/**", "/a/z": "/a/**/z",
		"/a/b/c/z": "/a/**/z", "/a/b": "/**",
		"/report-1": "/report-*", "/report-": "/report-*", "/report": "/re*", "/strasse/x": "/Straße/**",
		"/stra%C3%9Fe": "/Straße/**",
		"/board/1":     "board",
	}
	for range 5 {
		rand.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
		cfg := accessRules(rules...)
		rs, _ := New(cfg, Env{})
		for path, name := range want {
			if got := rs.Match(testHost, mustPath(t, path)).rule.name; got != name {
				t.Errorf("%s: %s, want %s", path, got, name)
			}
		}
		if got := rs.Match("shop.example.com", mustPath(t, "/board/1")).rule.name; got != "board on shop" {
			t.Errorf("a rule with hosts: %s", got)
		}
	}
}

// reference returns which rule decides, by comparing all patterns that match.
func reference(rules []RuleConfig, path string) string {
	best, name := pattern.Pattern{}, "default"
	for _, r := range rules {
		p, bad := pattern.Parse(r.Path[0])
		if bad != nil {
			continue
		}
		var alone pattern.Trie
		alone.Add(p, 0, nil)
		if _, matches := alone.Find("", path); matches && (name == "default" || p.Compare(best) < 0) {
			best, name = p, r.Path[0]
		}
	}
	return name
}

// FuzzMatch compares the rule that decides with the reference.
func FuzzMatch(f *testing.F) {
	f.Add("/a/** /a/b /*/b /a/*b", "/a/b")
	f.Add("/** /a/**/c /a/*/c /**/c", "/a/b/c")
	f.Add("/a*b*c/** /ab*/x", "/abbc/x")
	f.Add("/A*B*C/* /AB*/** /AB*/X", "/AB")
	f.Add("/**/a/**/a/**/b /**/a/b /**", "/a/a/a/c")
	f.Fuzz(func(t *testing.T, list, raw string) {
		path, err := urlpath.Parse(raw)
		if err != nil || len(raw) > 100 || len(list) > 200 {
			return
		}
		var rules []RuleConfig
		for _, text := range strings.Fields(list) {
			if _, bad := pattern.Parse(text); bad == nil {
				rules = append(rules, loginRule(text))
			}
		}
		rs, problems := New(accessRules(rules...), Env{})
		if slices.ContainsFunc(problems, func(p setting.Problem) bool { return !p.Warning }) {
			return // ties have no answer
		}
		m := rs.Match(testHost, path)
		if m.rule.index >= 0 || !strings.HasPrefix(m.rule.name, "hubspot:") {
			if got, want := m.rule.name, reference(rules, path.String()); got != want {
				t.Fatalf("%s with %s: %s decides, want %s", path, list, got, want)
			}
		}
	})
}

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	names := compiled(t, accessRules(loginRule("/a"), RuleConfig{Path: []string{"/b"}, Name: "bee"})).Names()
	for _, want := range []string{"/a", "bee", "default", "hubspot:files", "hubspot:previews", "hubspot:debug"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing in %v", want, names)
		}
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(names) {
		t.Errorf("twice: %v", names)
	}
}

const testHost = "www.example.com"

func loginRule(path string, groups ...string) RuleConfig {
	return RuleConfig{Path: []string{path}, Groups: groups}
}

// onHosts returns a rule for some hosts.
func onHosts(r RuleConfig, hosts ...string) RuleConfig { r.Hosts = hosts; return r }

func publicRule(path string) RuleConfig { return RuleConfig{Path: []string{path}, Access: "public"} }
