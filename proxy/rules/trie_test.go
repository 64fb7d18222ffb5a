package rules

import (
	"fmt"
	"strings"
	"testing"
)

// starRules returns n rules whose patterns have three ** each and match no path of a's.
func starRules(n int, format string) Config {
	rules := make([]RuleConfig, n)
	for i := range rules {
		rules[i] = loginRule(fmt.Sprintf(format, i))
	}
	return accessRules(rules...)
}

// Matching must try each ** at most once at each segment, however many the rules have, because the time must not grow
// with a power of the path's length (CWE-407). All patterns match, so that the number of visits is the number of steps.
func TestMatchStepsAreBounded(t *testing.T) {
	t.Parallel()
	const letters = "abcdefghijklmnopqrstuvwxyz"
	path := strings.Repeat("/"+strings.Repeat(letters, 2), 60)
	for _, c := range []struct {
		name, pattern string
		rules         int
	}{
		{"a dozen rules", "/**/G/**/G/**/G", 12},
		{"more than one word of bits holds", "/**/G/**/*/**/G", 40},
		{"below a folder", "/" + strings.Repeat(letters, 2) + "/**/G/**/G/**/G/G", 20},
		{"with segments between", "/**/G/*/**/*/G/**/*z", 26},
		{"ending in **", "/**/G/**/*/**", 50},
	} {
		var rules []RuleConfig
		for i := range c.rules {
			rules = append(rules, loginRule(strings.ReplaceAll(c.pattern, "G", strings.Repeat(letters, 2)[:i+1]+"*")))
		}
		rs, _ := New(accessRules(rules...), Env{})
		visits := 0
		rs.operators.each(testHost, path, func(entry) { visits++ })
		if limit := c.rules * 60; visits < c.rules || visits > limit {
			t.Errorf("%s: %d visits, expected %d to %d", c.name, visits, c.rules, limit)
		}
	}
}

func TestMatchFindsPatternsWithManyStars(t *testing.T) {
	t.Parallel()
	cfg := starRules(300, "/**/a/**/b%d/**/c")
	rs, _ := New(cfg, Env{})
	for _, i := range []int{0, 15, 16, 63, 64, 255, 256, 299} {
		for _, format := range []string{"/a/b%d/c", "/x/a/a/y/b%d/b%[1]d/z/c", "/a/a/a/b1/b%d/c/c"} {
			path := mustPath(t, fmt.Sprintf(format, i))
			want := reference(cfg.Rules, path.String())
			if got := rs.Match(testHost, path).rule.name; got != want || got == "default" {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
	}
}
