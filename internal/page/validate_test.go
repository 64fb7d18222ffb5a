package page

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValidateReportsProblems(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cfg  Config
		want string
	}{
		"the default": {DefaultConfig(), ""},
		"everything": {Config{Folder: "pages", SiteName: "Müller & Söhne", Logo: "https://x.example/l.svg",
			Support: "mailto:a@example.com", Language: "pt-BR"}, ""},
		"a path as logo": {Config{Logo: "/hubfs/logo.svg"}, ""},
		"http as logo": {Config{Logo: "http://x.example/l.svg"},
			`pages.logo: "http://x.example/l.svg" is neither an https URL nor a path on this site`},
		"another host as path": {Config{Logo: "//x.example/l.svg"},
			`pages.logo: "//x.example/l.svg" is neither an https URL nor a path on this site`},
		"a logo that ends the CSP": {Config{Logo: "https://x.example;script-src/l.svg"},
			`pages.logo: "https://x.example;script-src/l.svg" is neither an https URL nor a path on this site`},
		"a bare address": {Config{Support: "help@example.com"},
			`pages.support: "help@example.com" is neither an https nor a mailto URL`},
		"a script as support": {Config{Support: "javascript:alert(1)"},
			`pages.support: "javascript:alert(1)" is neither an https nor a mailto URL`},
		"a long name": {Config{SiteName: strings.Repeat("ä", 81)}, "pages.site_name: has 81 characters"},
		"two lines": {Config{SiteName: "a\nb"},
			"pages.site_name: contains a line break or another control character"},
		"no language":              {Config{Language: "Deutsch"}, `pages.language: "Deutsch" is not a language tag`},
		"a language without files": {Config{Language: "fr"}, `pages.language: hubgate has no texts in the language "fr"`},
	} {
		var got []string
		for _, p := range test.cfg.Validate() {
			if p.Cure == "" || p.Warning {
				t.Errorf("%s: %+v", name, p)
			}
			got = append(got, p.Key+": "+p.Text)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}
