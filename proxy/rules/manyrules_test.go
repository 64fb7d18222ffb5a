package rules

import (
	"fmt"
	"testing"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

func manyRules(n int) Config {
	rules := make([]RuleConfig, n)
	for i := range rules {
		rules[i] = loginRule([]string{
			fmt.Sprintf("/section-%d/**", i), fmt.Sprintf("/section-%d/pages/page-%d", i-1, i),
			fmt.Sprintf("/deep/%d/%d/area/**", i%100, i),
			fmt.Sprintf("/reports/%d/quarter-*", i), fmt.Sprintf("/shop/item-%d-*/private/**", i),
		}[i%5])
	}
	return accessRules(rules...)
}

func BenchmarkCompileTenThousandRules(b *testing.B) {
	cfg := manyRules(10_000)
	for b.Loop() {
		_, problems := New(cfg, Env{Hosts: []string{testHost}, AuthPrefix: "/oauth2"})
		if len(problems) != 2_000 {
			b.Fatalf("%d warnings, expected one for each rule of a page alone", len(problems))
		}
	}
}

func BenchmarkDecideAmongTenThousandRules(b *testing.B) {
	rs := compiled(b, manyRules(10_000))
	now := fixedNow
	for _, raw := range []string{"/section-4995/a/b/c", "/reports/4003/quarter-3", "/shop/item-9004-x/private/y",
		"/nowhere/at/all", "/"} {
		b.Run(raw, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, _ := urlpath.Parse(raw)
				rs.Match(testHost, p).Decide("GET", 0, nil, now)
			}
		})
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	rs := compiled(t, manyRules(10_000))
	for _, raw := range []string{"/section-4995/a/b/c", "/reports/4003/quarter-3", "/nowhere",
		"/shop/item-9004-x/private/y"} {
		if n := testing.AllocsPerRun(100, func() {
			p, _ := urlpath.Parse(raw)
			rs.Match(testHost, p).Decide("GET", urlpath.ParsePreviewParams("a=b&utm_source=mail"), nil, fixedNow)
		}); n > 0 {
			t.Errorf("%s: %v allocations", raw, n)
		}
	}
}
