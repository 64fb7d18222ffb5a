package site

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

func TestSurveyFindsLeaks(t *testing.T) {
	t.Parallel()
	post, draft := published("4", "news/post"), translation("1", "5", "de/members/draft")
	post.Kind, draft.CurrentState = "post", "DRAFT"
	pages := []fakehubspot.Page{
		published("1", "members"), translation("1", "2", "de/members"), translation("1", "3", "fr/membres"), post, draft,
	}
	for name, c := range map[string]struct{ rules, want string }{
		"only a translation": {"  rules: [{path: /de/members/**}]",
			"translation /de/members, translation /de/members"},
		"the blog but not its tags": {"  rules: [{path: [/news, /news/post, /news/page/**, /news/rss.xml]}]",
			"listing /news/post"},
		"a public search": {"  rules: [{path: [/members, /de/**, /fr/**]}, {path: /_hcms/search, access: public}]",
			"search /_hcms/search"},
		"the whole blog": {"  rules: [{path: /news/**}]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var leaks []string
			for _, l := range survey(t, portal(t, fakehubspot.Config{Pages: pages}, c.rules)).Leaks {
				leaks = append(leaks, l.Kind+" "+l.Page)
			}
			if got := strings.Join(leaks, ", "); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestSurveyListsRedirectsToProtectedPages(t *testing.T) {
	t.Parallel()
	result := survey(t, portal(t, fakehubspot.Config{Redirects: []fakehubspot.Redirect{
		{ID: "a", From: "/old", To: "http://localhost:8080/members", Style: 301},
		{ID: "b", From: "/proxied/*", To: "/partners", Style: 305},
		{ID: "c", From: "/x", To: "/elsewhere", Style: 305}, {ID: "d", From: "/members/x", To: "/members", Style: 305},
	}}, "  rules: [{path: /members/**}, {path: /partners, groups: [partner]}]"))
	found := ""
	for _, r := range result.Redirects {
		found += fmt.Sprintf("%s %d %s; ", r.ID, r.Style, r.Decision)
	}
	for _, l := range result.Leaks {
		if l.Kind == "redirect" {
			found += l.Text
		}
	}
	want := "a 301 public; b 305 public; d 305 login; the 305 redirect /proxied/* shows it, and is public"
	if found != want {
		t.Error(found)
	}
}

func TestSurveyNamesMissingScope(t *testing.T) {
	t.Parallel()
	path := portal(t, fakehubspot.Config{Scopes: []string{"crm.objects.contacts.read"}}, "")
	_, err := Survey(t.Context(), Request{Path: path, Getenv: noEnvironment, Report: func(string) {}})
	if err == nil || !strings.Contains(err.Error(), "add the scope content to the key") {
		t.Error(err)
	}
}
