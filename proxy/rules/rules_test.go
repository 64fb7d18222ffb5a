package rules

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/hubgate/hubgate/internal/setting"
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

func compiled(t testing.TB, cfg Config) *Set {
	t.Helper()
	rs, problems := New(cfg, Env{Hosts: []string{testHost, "shop.example.com"}, AuthPrefix: "/oauth2"})
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

// reference returns which rule decides, by comparing all patterns.
func reference(rules []RuleConfig, path string) string {
	best, name := pattern{}, "default"
	for _, r := range rules {
		p, bad := parsePattern(r.Path[0])
		if bad == nil && plainMatch(p.segments, splitPath(path)) && (name == "default" || compare(p, best) < 0) {
			best, name = p, r.Path[0]
		}
	}
	return name
}

func plainMatch(pattern []segment, path []string) bool {
	switch {
	case len(pattern) == 0:
		return len(path) == 0
	case pattern[0].kind == doubleStar:
		return plainMatch(pattern[1:], path) || (len(path) > 0 && plainMatch(pattern, path[1:]))
	}
	return len(path) > 0 && plainGlob(pattern[0].text, path[0]) && plainMatch(pattern[1:], path[1:])
}

func plainGlob(glob, text string) bool {
	switch {
	case glob == "":
		return text == ""
	case glob[0] == '*':
		return plainGlob(glob[1:], text) || (text != "" && plainGlob(glob, text[1:]))
	}
	return text != "" && glob[0] == text[0] && plainGlob(glob[1:], text[1:])
}

// starMatch is doublestar.Match, except that "/a*/**" matches what "/a*" matches.
func starMatch(pattern, path string) (bool, error) {
	if whole, ok := strings.CutSuffix(pattern, "/**"); ok {
		if match, err := doublestar.Match(whole, path); match || err != nil {
			return match, err
		}
	}
	return doublestar.Match(pattern, path)
}

// FuzzMatch compares the trie with the reference, and each single pattern with doublestar.
func FuzzMatch(f *testing.F) {
	f.Add("/a/** /a/b /*/b /a/*b", "/a/b")
	f.Add("/** /a/**/c /a/*/c /**/c", "/a/b/c")
	f.Add("/a*b*c/** /ab*/x", "/abbc/x")
	f.Add("/A*B*C/* /AB*/** /AB*/X", "/AB")
	f.Add("/**/a/**/a/**/b /**/a/b /**", "/a/a/a/c")
	f.Fuzz(func(t *testing.T, list, raw string) {
		path, err := urlpath.Parse(raw)
		if err != nil || strings.ContainsAny(raw, "{}[]?!*") || len(raw) > 100 || len(list) > 200 {
			return
		}
		var rules []RuleConfig
		for _, text := range strings.Fields(list) {
			p, bad := parsePattern(text)
			if bad != nil || strings.ContainsAny(text, "{}[]?!") {
				continue
			}
			if p.folded() != "/" { // doublestar has no word for the root alone
				want, err := starMatch(p.folded(), path.String())
				if got := plainMatch(p.segments, splitPath(path.String())); err != nil ||
					(got != want && path.String() != "/") {
					t.Fatalf("%s and %s: %t, doublestar says %t, %v", text, path, got, want, err)
				}
			}
			rules = append(rules, loginRule(text))
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

// FuzzOverlap compares intersects and contains with the results of matching paths.
func FuzzOverlap(f *testing.F) {
	f.Add("/a/**", "/*/b", "/a/b")
	f.Add("/a*b/x", "/*c*b/*", "/acb/x")
	f.Add("/**/a/**", "/b/**/c", "/b/a/c")
	f.Fuzz(func(t *testing.T, one, two, raw string) {
		a, badA := parsePattern(one)
		b, badB := parsePattern(two)
		path, err := urlpath.Parse(raw)
		if badA != nil || badB != nil || len(one) > 60 || len(two) > 60 {
			return
		}
		if parts, ok := commonPath(a.segments, b.segments); ok &&
			(!plainMatch(a.segments, parts) || !plainMatch(b.segments, parts)) {
			t.Fatalf("%s and %s: %q is not matched by both", one, two, parts)
		}
		found := newIntersectIndex([]patternAt{{pattern: b}}).intersecting(a)
		if intersects(a, b) != (len(found) == 1) {
			t.Fatalf("%s and %s: meet %t, the index finds %v", one, two, intersects(a, b), found)
		}
		if err != nil {
			return
		}
		parts := splitPath(path.String())
		inA, inB := plainMatch(a.segments, parts), plainMatch(b.segments, parts)
		if inA && inB && !intersects(a, b) {
			t.Fatalf("%s and %s both match %s", one, two, path)
		}
		if inB && !inA && contains(a, b) {
			t.Fatalf("%s contains %s, but does not match %s", one, two, path)
		}
		if compare(a, b) != -compare(b, a) && compare(a, b)*compare(b, a) > 0 {
			t.Fatalf("%s and %s: no order", one, two)
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

func publicRule(path string) RuleConfig { return RuleConfig{Path: []string{path}, Access: "public"} }
