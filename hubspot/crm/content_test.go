package crm

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

func TestPagesReadsEveryPageOfEveryKind(t *testing.T) {
	t.Parallel()
	site := make([]fakehubspot.Page, 250) // three calls
	for i := range site {
		site[i] = fakehubspot.Page{ID: fmt.Sprint(i), Slug: fmt.Sprintf("p%03d", i), Kind: "site"}
	}
	a := newAccount(t, fakehubspot.Config{Pages: append(site,
		fakehubspot.Page{ID: "l", Slug: "landing", Kind: "landing", Password: "x", AccessRulesActive: true},
		fakehubspot.Page{ID: "p", Slug: "blog/post", Kind: "post", CurrentState: "PUBLISHED_OR_SCHEDULED", TableID: "7"},
	)})
	progress := ""
	found, err := a.Content(t.Context(), func(read, total int) { progress += fmt.Sprintf("%d/%d ", read, total) })
	list := found.Pages
	if err != nil || len(list) != len(site)+2 || progress != "202/252 252/252 " {
		t.Fatal(len(list), err, progress)
	}
	want := []Page{
		{ID: "p", Kind: "post", Slug: "blog/post", State: "PUBLISHED_OR_SCHEDULED", Published: true, Dynamic: true},
		{ID: "l", Kind: "landing", Slug: "landing", Password: true, Restricted: true},
		{ID: "0", Kind: "site", Slug: "p000"},
	}
	if d := cmp.Diff(want, list[:3]); d != "" {
		t.Error(d)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	a := newAccount(t, fakehubspot.Config{
		Redirects: []fakehubspot.Redirect{{ID: "1", From: "/old", To: "/members/new", Style: 301}},
	})
	found, err := a.Content(t.Context(), func(int, int) {})
	want := []Redirect{{ID: "1", From: "/old", To: "/members/new", Style: 301}}
	if d := cmp.Diff(want, found.Redirects); d != "" || err != nil {
		t.Error(err, d)
	}
}

// A list that cannot be read, or not to its end, is not an empty list.
func TestContentNamesUnreadLists(t *testing.T) {
	t.Parallel()
	many := make([]fakehubspot.Page, 150)
	for i := range many {
		many[i] = fakehubspot.Page{ID: fmt.Sprint(i), Slug: fmt.Sprint(i), Kind: "site"}
	}
	forbidden := fakehubspot.Fault{Status: http.StatusForbidden, Body: `{"message":"no"}`}
	body := func(text string) fakehubspot.Fault { return fakehubspot.Fault{Body: text} }
	for name, c := range map[string]struct {
		path  string
		fault fakehubspot.Fault
		want  string
	}{
		"redirects are refused":     {"/url-redirects/2026-09", forbidden, "redirects 0/0: 403 no"},
		"posts are refused":         {"/posts", forbidden, "posts 0/0: 403 no"},
		"landing pages are refused": {"/landing-pages", forbidden, "landing pages 0/0: 403 no"},
		"the second response": {"/site-pages?after=100", body(`{"results":[{"id":"x"}]}`),
			`site pages 100/150: HubSpot's response has no member "slug"`},
		"the same cursor": {"/site-pages?after=100", body(`{"results":[],"paging":{"next":{"after":"100"}}}`),
			"site pages 100/150: HubSpot's response names a cursor as the next one that was used before"},
		"an empty object": {"/posts", body(`{}`), `posts 0/0: HubSpot's response has no member "results"`},
		"a web page": {"/posts", body("<html>a portal</html>"), "posts 0/0: HubSpot's response is not JSON " +
			`(invalid character '<' looking for beginning of value); it begins with "<html>a portal</html>"`},
		"a list": {"/posts", body("[]"), "posts 0/0: HubSpot's response must be an object, not of type array"},
		"another type": {"/posts", body(`{"results":[{"id":7}]}`),
			`posts 0/1: in HubSpot's response, the member "id" must not be of type number`},
		"one bad page of three": {"/posts", body(`{"results":[{"id":"1","slug":"a"},{"id":"2"},{"id":"3","slug":""}]}`),
			`posts 2/3: HubSpot's response has no member "slug"`},
		"a redirect to nowhere": {"/url-redirects/2026-09", body(`{"results":[{"routePrefix":"/x"}]}`),
			`redirects 0/1: HubSpot's response has no member "destination"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, fakehubspot.Config{Pages: many, Wrap: failing(c.path, c.fault)})
			found, err := a.Content(t.Context(), func(int, int) {})
			if err != nil || len(found.Unread) != 1 {
				t.Fatalf("%v %+v", err, found.Unread)
			}
			u := found.Unread[0]
			got := fmt.Sprintf("%s %d/%d: %v", u.List, u.Read, u.Total, u.Err)
			if got = strings.Replace(got, "hubspot: list "+u.List+": ", "", 1); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// failing returns a wrapper that answers calls of one path, with its cursor, with a fault.
func failing(path string, f fakehubspot.Fault) func(http.Handler) http.Handler {
	path, after, _ := strings.Cut(path, "?after=")
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, path) || r.URL.Query().Get("after") != after {
				next.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(max(f.Status, http.StatusOK))
			_, _ = w.Write([]byte(f.Body))
		})
	}
}

func TestContentFailsIfNothingCanBeRead(t *testing.T) {
	t.Parallel()
	for name, fake := range map[string]fakehubspot.Config{
		"no scope":       {Scopes: []string{"crm.objects.contacts.read"}},
		"another token":  {Token: "other"},
		"no content API": {Wrap: func(http.Handler) http.Handler { return http.NotFoundHandler() }},
	} {
		if found, err := newAccount(t, fake).Content(t.Context(), func(int, int) {}); err == nil {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// HubSpot sends whole pages, unless asked for a few members of them.
func TestContentReadsLargePages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ count, size int }{{100, 400 << 10}, {60, 700 << 10}, {12, 3 << 20}} {
		var queries []url.Values
		a := newAccount(t, fakehubspot.Config{Wrap: largePages(c.count, c.size, &queries)})
		found, err := a.Content(t.Context(), func(int, int) {})
		if err != nil || len(found.Pages) != c.count || len(found.Unread) > 0 {
			t.Errorf("%+v: %d pages, %+v, %v", c, len(found.Pages), found.Unread, err)
		}
		for _, q := range queries {
			if !strings.HasPrefix(q.Get("property"), "id,name,url,domain,slug,") {
				t.Errorf("%+v: asked for %v", c, q)
			}
		}
	}
}

func TestContentNamesPageThatIsTooLarge(t *testing.T) {
	t.Parallel()
	var queries []url.Values
	a := newAccount(t, fakehubspot.Config{Wrap: largePages(1, 33<<20, &queries)})
	l := a.pageLists(new([]Page))[0]
	l.limit = 2
	l.next(t.Context())
	want := "hubspot: list site pages: a page of the list is larger than 32 MiB"
	if l.err == nil || l.err.Error() != want || len(queries) != 2 || !l.done {
		t.Errorf("%v after %v", l.err, queries)
	}
}

// largePages returns a wrapper that answers with site pages of a size, whatever members are asked for.
func largePages(count, size int, queries *[]url.Values) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/site-pages") {
				next.ServeHTTP(w, r)
				return
			}
			*queries = append(*queries, r.URL.Query())
			writeLargePages(w, r, count, size)
		})
	}
}

func writeLargePages(w http.ResponseWriter, r *http.Request, count, size int) {
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	from, _ := strconv.Atoi(r.URL.Query().Get("after"))
	to := min(from+limit, count)
	fmt.Fprintf(w, `{"total":%d,"results":[`, count)
	layout := strings.Repeat("x", size)
	for i := from; i < to; i++ {
		if i > from {
			fmt.Fprint(w, ",")
		}
		fmt.Fprintf(w, `{"id":"%d","slug":"p%d","layoutSections":{"a":"%s"}}`, i, i, layout)
	}
	fmt.Fprint(w, "]")
	if to < count {
		fmt.Fprintf(w, `,"paging":{"next":{"after":"%d"}}`, to)
	}
	fmt.Fprint(w, "}")
}
