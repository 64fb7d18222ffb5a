package pattern

import (
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/setting"
)

func TestMistypedPatternHasCure(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "write a path such as /members/**",
		"members/**":                   `write "/members/**"`,
		"https://www.example.com/a/**": `write "/a/**", and the host in hosts`,
		"^/members/.*$":                "write a pattern such as /members/**",
		`/members\/(a|b)`:              "write a pattern such as /members/**",
		"/members**":                   "write ** as a whole segment",
		"/a/**b/c":                     "write ** as a whole segment",
		"/a/**/**":                     "one ** already matches",
		"/**/a/**/b/**/c/**":           "write several patterns",
		"/a?b=c":                       `write "/a"`,
		"/a#b":                         `write "/a"`,
		"/a//b":                        "write the path as the browser's address bar shows it",
		"/a/../b":                      "write the path as the browser's address bar shows it",
		"/a%2fb":                       "write the path as the browser's address bar shows it",
		"/members/**, /partners/**":    "write a list: [/members/**, /partners/**]",
	} {
		_, bad := Parse(text)
		if bad == nil || !strings.Contains(bad.Cure, want) {
			t.Errorf("%q: %v, want the cure %q", text, bad, want)
		}
	}
	for _, text := range []string{"/", "/**", "/*", "/a b/ü*", "/members/**/", "/a/*/b*c/**", "/100%25"} {
		if _, bad := Parse(text); bad != nil {
			t.Errorf("%q: %v", text, bad)
		}
	}
}

// The cure must not leave the path public, and must not protect another one.
func TestCureOfPatternWithQuery(t *testing.T) {
	t.Parallel()
	for pattern, cure := range map[string]string{
		"/hubfs/C#/**":           "/hubfs/C%23/**",
		"/hubfs/what?.pdf":       "/hubfs/what%3F.pdf",
		"/hs-fs/hubfs/a#b.png":   "/hs-fs/hubfs/a%23b.png",
		"/hubfs/Q?A/**":          "/hubfs/Q%3FA/**",
		"/hubfs/x.pdf?width=1.5": "/hubfs/x.pdf",
		"/hubfs/x.pdf#page":      "/hubfs/x.pdf",
		"/members?a=b":           "/members",
		"/members#top":           "/members",
		"/members/?a.b":          "/members/",
	} {
		_, bad := Parse(pattern)
		if bad == nil || bad.Cure != "write "+setting.Quote(cure) {
			t.Errorf("%s: %+v, want %s", pattern, bad, cure)
		}
		if p, still := Parse(cure); still != nil {
			t.Errorf("%s: the cure %s is wrong: %+v %v", pattern, cure, still, p)
		}
	}
}
