package rules

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/setting"
)

// halfClosed are patterns, with a path that each leaves public and the pattern that was probably meant.
var halfClosed = []struct {
	pattern, open, cure string // the cure is the pattern that it names first
}{
	{"/members/*", "/members/x/page", "/members/**"},
	{"/members*", "/members/page", "/members/**"},
	{"/members", "/members/page", "/members/**"},
	{"/members/", "/members/page", "/members/**"},
	{"/*", "/x/page", "/**"},
	{"/a/*/b", "/a/x/b/page", "/a/*/b/**"},
	{"/Team Area/*", "/team area/x/page", "/Team Area/**"},
	{"/report-*", "/report-x/page", "/report-*/**"},
	{"/a/**/b", "/a/b/page", "/a/**/b/**"},
	{"/*/intern", "/x/intern/page", "/*/intern/**"},
	{"/de/*x*", "/de/xx/page", "/de/*x*/**"},
	{"/v1.2", "/v1.2/page", "/v1.2/**"},
	{"/hubfs/private", "/hubfs/private/page", "/hubfs/private/**"},
	{"/hubfs/private/*", "/hubfs/private/x/page", "/hubfs/private/**"},
	{"/docs/*.pdf", "/docs/folder/x.pdf", "/docs/**/*.pdf"},
	{"/*.html", "/folder/x.html", "/**/*.html"},
	{"/hubfs/a/report-*.pdf", "/hubfs/a/folder/report-x.pdf", "/hubfs/a/**/report-*.pdf"},
	{"/**/private/**", "/hubfs/private/board.pdf", "/hubfs/**/private/**"},
	{"/*/private/**", "/hubfs/private/board.pdf", "/hubfs/private/**"},
	{"/**/*.pdf", "/hubfs/x.pdf", "/hubfs/**/*.pdf"},
	{"/h*/private/**", "/hubfs/private/board.pdf", "/hubfs/private/**"},
	{"/*/*/board/**", "/hubfs/x/board/board.pdf", "/hubfs/*/board/**"},
	{"/**/Secret-*/**", "/hubfs/secret-x/board.pdf", "/hubfs/**/Secret-*/**"},
	{"/hs/*/private/**", "/hs/hsstatic/private", "/hs/hsstatic/private/**"},
	{"/hs/*/100%25/**", "/hs/hsstatic/100%", "/hs/hsstatic/100%25/**"},
	{"/**/100%25/**", "/hubfs/100%/board.pdf", "/hubfs/**/100%25/**"},
	{"/_hcms/*/x/**", "/_hcms/forms/x", "/_hcms/forms/x/**"},
	{"/_hcms/f*/**", "/_hcms/forms", "/_hcms/forms/**"},
	{"/_hcms/*/**", "/_hcms/forms", "/_hcms/forms/**"},
	{"/hubfs*/**", "/hubfs/board.pdf", "/hubfs/**"},
	{"/hub*/**", "/hubfs/board.pdf", "/hubfs/**"},
	{"/h*/**", "/hubfs/board.pdf", "/hubfs/**"},
	{"/hs-*/**", "/hs-fs/hubfs/board.pdf", "/hubfs/**"},
	{"/*s/**", "/hubfs/board.pdf", "/hubfs/**"},
	{"/hubfs*", "/hubfs/page", "/hubfs/**"},
	{"/robots*", "/robots.txt", "/robots.txt"},
	{"/fav*.ico", "/favicon.ico", "/favicon.ico"},
	{"/members/%2a", "/members/x/page", "/members/**"},
	{"/members%2A", "/members/page", "/members%2A/**"},
	{"/docs/node.js", "/docs/node.js/page", "/docs/node.js/**"},
	{"/u/jane.doe", "/u/jane.doe/page", "/u/jane.doe/**"},
	{"/kunden.de", "/kunden.de/page", "/kunden.de/**"},
	{"/asp.net", "/asp.net/page", "/asp.net/**"},
	{"/hs/hsstatic/**/internal/**", "/hs/hsstatic/internal", "/hs/hsstatic/**"},
	{"/_hcms/*/v2.js", "/_hcms/forms/v2.js", "/_hcms/forms/v2.js"},
}

func TestLeftOpenWarnings(t *testing.T) {
	t.Parallel()
	for _, c := range halfClosed {
		found := false
		_, problems := New(accessRules(loginRule(c.pattern)), Env{Hosts: []string{testHost}})
		for _, p := range problems {
			if p.Text != setting.Quote(c.pattern)+" leaves "+setting.Quote(c.open)+" public" {
				continue
			}
			found = true
			if !p.Warning || p.Key != "proxy.rules[0].path" {
				t.Errorf("%s: %+v", c.pattern, p)
			}
			if strings.Contains(p.Cure, "add a rule") {
				compiled(t, accessRules(loginRule(c.pattern), loginRule(c.cure)))
			}
			if cure := regexp.MustCompile(`"([^"]*)"`).FindStringSubmatch(p.Cure); cure == nil || cure[1] != c.cure {
				t.Errorf("%s: the cure is %s, want %s", c.pattern, p.Cure, c.cure)
			}
		}
		if !found {
			t.Errorf("%s: %v, want one that names %s", c.pattern, problems, c.open)
		}
		open := mustPath(t, strings.NewReplacer(" ", "%20", "%", "%25").Replace(c.open))
		rs := compiled(t, accessRules(loginRule(c.pattern)))
		if d := rs.Match(testHost, open).Decide("GET", 0, nil, fixedNow); d.Kind != Public {
			t.Errorf("%s: %s is %s", c.pattern, c.open, d.Kind)
		}
		cured, problems := New(accessRules(loginRule(c.pattern), loginRule(c.cure)),
			Env{Hosts: []string{testHost}})
		if cured.Match(testHost, open).Decide("GET", 0, nil, fixedNow).Kind != Login {
			t.Errorf("%s: %s is open with the cure %s too: %v", c.pattern, c.open, c.cure, problems)
		}
	}
}

func TestLeftOpenHasNoFalseWarnings(t *testing.T) {
	t.Parallel()
	closed := func(cfg Config) Config { cfg.Default = "login"; return cfg }
	for name, c := range map[string]struct {
		cfg  Config
		want int
	}{
		"all below":                     {accessRules(loginRule("/members/**")), 0},
		"the site":                      {accessRules(loginRule("/**")), 0},
		"the site, one folder at least": {accessRules(loginRule("/*/**")), 0},
		"the home page":                 {accessRules(loginRule("/")), 0},
		"a public page": {accessRules(publicRule("/members/*"),
			publicRule("/**/private/**"), publicRule("/a")), 0},
		"a file": {accessRules(loginRule("/blog/rss.xml"),
			loginRule("/hubfs/board.pdf")), 0},
		"closed by another rule": {accessRules(loginRule("/members/*"),
			loginRule("/members/**")), 0},
		"closed by a wider rule": {accessRules(loginRule("/members/*"), loginRule("/**")), 0},
		"opened by another rule": {accessRules(loginRule("/pricing"),
			publicRule("/pricing/**")), 0},
		"closed by default": {closed(accessRules(loginRule("/members/*", "staff"),
			loginRule("/a"))), 0},
		"files are not closed by default": {closed(accessRules(loginRule("/**/private/**", "staff"))),
			1},
		"files by another rule": {accessRules(loginRule("/**/private/**"),
			loginRule("/hubfs/**/private/**")), 0},
		"what must stay public": {accessRules(loginRule("/hs/*/x/**")), 1},
		"closed on every host": {accessRules(loginRule("/a"), onHosts(loginRule("/a/**"),
			testHost), onHosts(loginRule("/a/**"), "shop.example.com")), 0},
		"closed on one host only": {accessRules(loginRule("/a"), onHosts(loginRule("/a/**"),
			testHost)), 1},
		"meant for the host where it is closed": {accessRules(onHosts(loginRule("/a"), testHost),
			onHosts(loginRule("/a/**"), testHost)), 0},
		"files below a folder, at all their addresses": {accessRules(loginRule("/hubfs/**/private/**"),
			loginRule("/hs-fs/hubfs/a/**")), 0},
		"two patterns of one rule": {accessRules(RuleConfig{Path: []string{"/a", "/a/**"}}), 0},
		"by methods": {accessRules(RuleConfig{Path: []string{"/a/*"},
			Methods: []string{"GET"}}), 1},
	} {
		_, problems := New(c.cfg, Env{Hosts: []string{testHost, "shop.example.com"}, AuthPrefix: "/oauth2"})
		if len(problems) != c.want {
			t.Errorf("%s: %v, want %d", name, problems, c.want)
		}
	}
}

// The built-in rule for files would win over /hubfs*/**.
func TestLeftOpenCureIsNotWider(t *testing.T) {
	t.Parallel()
	_, problems := New(accessRules(loginRule("/hubfs*")), Env{Hosts: []string{testHost}})
	for _, p := range problems {
		if strings.Contains(p.Cure, "/hubfs*/**") {
			t.Error(p)
		}
	}
}

func TestHomePageAsSearchPage(t *testing.T) {
	t.Parallel()
	cfg := accessRules(loginRule("/members/**"))
	cfg.HubSpot.SearchPage = "/"
	if d := compiled(t, cfg).Match(testHost, mustPath(t, "/")).Decide("GET", 0, nil, fixedNow); d.Kind != Login {
		t.Errorf("the home page with the search results is %s", d.Kind)
	}
}

func TestRouteSyntaxWarnings(t *testing.T) {
	t.Parallel()
	for pattern, word := range map[string]string{
		"/members/<id>/**": "<id>", "/members/$id/**": "$id", "/members/{id}": "{id}", "/members/${id}/**": "{id}",
		"/m/<int:page>": "<int:page>", "/members/:id/**": "/:id", "/docs/[slug]/**": "[slug]",
	} {
		_, problems := New(accessRules(loginRule(pattern)), Env{Hosts: []string{testHost}})
		found := false
		for _, p := range problems {
			found = found || p.Warning && strings.Contains(p.Text, word) && strings.Contains(p.Cure, "write *")
		}
		if !found {
			t.Errorf("%s: %v", pattern, problems)
		}
	}
	_, problems := New(accessRules(loginRule("/hubfs/us$5/**")), Env{Hosts: []string{testHost}})
	if len(problems) > 0 {
		t.Error(problems)
	}
}
