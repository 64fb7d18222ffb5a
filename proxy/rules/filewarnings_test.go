package rules

import (
	"strings"
	"testing"
)

// A rule for one address of a file holds for all of them, which may be unexpected.
func TestFileRuleWarnings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules []RuleConfig
		words []string // of the only warning; none for no warning
	}{
		"a year": {[]RuleConfig{loginRule("/hubfs/2024/**")},
			[]string{`"/hubfs/2024/**" protects "/hubfs/logo.png" as well`, `not a number`, `write "/hubfs/**"`}},
		"a folder of a year": {[]RuleConfig{loginRule("/hubfs/2024/Reports/**")},
			[]string{`"/hubfs/reports/logo.png"`, `write "/hubfs/Reports/**"`}},
		"years":        {[]RuleConfig{loginRule("/hubfs/20*/**")}, []string{`"/hubfs/logo.png"`, `"/hubfs/**"`}},
		"resized":      {[]RuleConfig{loginRule("/hs-fs/hubfs/7/**")}, []string{`"/hubfs/logo.png"`}},
		"one file":     {[]RuleConfig{loginRule("/hubfs/2024/a.pdf")}, []string{`"/hubfs/a.pdf"`, `"/hubfs/a.pdf"`}},
		"a word":       {[]RuleConfig{loginRule("/hubfs/year-2024/**")}, nil},
		"all files":    {[]RuleConfig{loginRule("/hubfs/**"), loginRule("/hubfs/2024/**")}, nil},
		"in a folder":  {[]RuleConfig{loginRule("/hubfs/private/2024/**")}, nil},
		"a page":       {[]RuleConfig{loginRule("/blog/2024/**")}, nil},
		"a public one": {[]RuleConfig{publicRule("/hubfs/2024/**")}, nil},
		"an exception": {[]RuleConfig{loginRule("/hubfs/private/**"), publicRule("/hubfs/private/logo.png")},
			[]string{`"/hubfs/private/logo.png" has no effect`, `"/hubfs/private/**" (line 10)`}},
		"an exception at another address": {
			[]RuleConfig{publicRule("/hs-fs/hubfs/private/open/**"), loginRule("/hubfs/private/**")},
			[]string{`"/hs-fs/hubfs/private/open/**" has no effect`, `(line 11)`}},
		"an exception for any login": {
			[]RuleConfig{loginRule("/hubfs/private/**", "staff"), loginRule("/hubfs/private/all/**")},
			[]string{`"/hubfs/private/all/**" has no effect`}},
		"stricter inside": {
			[]RuleConfig{loginRule("/hubfs/private/**"), loginRule("/hubfs/private/board/**", "board")}, nil},
		"a public folder around": {[]RuleConfig{publicRule("/hubfs/**"), loginRule("/hubfs/private/**")}, nil},
		"an exception of pages":  {[]RuleConfig{loginRule("/a/**"), publicRule("/a/b/**")}, nil},
	} {
		_, problems := New(accessRules(c.rules...), Env{Hosts: []string{testHost}})
		var texts []string
		for _, p := range problems {
			texts = append(texts, p.Text+"; "+p.Cure)
			if !p.Warning {
				t.Errorf("%s: %+v is an error", name, p)
			}
		}
		if got := strings.Join(texts, "\n"); len(problems) != min(len(c.words), 1) {
			t.Errorf("%s: %q, want words %q", name, got, c.words)
		} else {
			for _, word := range c.words {
				if !strings.Contains(got, word) {
					t.Errorf("%s: %s, want %s", name, got, word)
				}
			}
		}
	}
}
