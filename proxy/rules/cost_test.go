package rules

import (
	"strconv"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

func BenchmarkWorstRequests(b *testing.B) {
	for name, run := range map[string]func(){
		"query":     func() { urlpath.ParsePreviewParams(strings.Repeat("\ufdfa", 10_000)) },
		"escapes":   func() { urlpath.ParsePreviewParams(strings.Repeat("%25", 10_000)) },
		"names":     func() { urlpath.ParsePreviewParams("é%25" + strings.Repeat("&", 30_000)) },
		"letters":   func() { urlpath.ParsePreviewParams("%" + strings.Repeat("é", 15_000)) },
		"wide":      func() { urlpath.ParsePreviewParams("%" + strings.Repeat("％", 10_000)) },
		"expanding": func() { urlpath.Parse("/hubfs/%3F%EF%BC%8525" + strings.Repeat("\ufdfa", 2600)) },
		"raw":       func() { urlpath.Parse("/hubfs/%3F%EF%BC%8525" + strings.Repeat("é", 1000)) },
		"readings":  func() { urlpath.Parse("/hubfs/%20%2520%252520%2523%253Fd./" + strings.Repeat("é", 150)) },
		"odd":       func() { urlpath.Parse("/hubfs/a+b;c%23d%E2%84%A2%C2%A0%2520.png") },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				run()
			}
		})
	}
	rules := make([]RuleConfig, 12)
	for i := range rules {
		rules[i] = loginRule("/hubfs/**/a" + strconv.Itoa(i) + "/**/b" + strconv.Itoa(i) + "/**/c" + strconv.Itoa(i))
	}
	rs := compiled(b, accessRules(rules...))
	b.Run("stars", func(b *testing.B) {
		for b.Loop() {
			if p, err := urlpath.Parse("/hubfs/1/a0/a1/a2/a3/a4/a5/a6/a7/a8/a9/a10/a11/b0/b1/b2/%20%2520%2523d."); err == nil {
				rs.Match(testHost, p)
			}
		}
	})
}
