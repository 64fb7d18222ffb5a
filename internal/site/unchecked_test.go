package site

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/configtest"
)

// originSays probes pages of an origin with handler, and returns the result of each.
func originSays(t *testing.T, handler http.HandlerFunc, slugs ...string) *probe {
	t.Helper()
	origin := httptest.NewServer(handler)
	t.Cleanup(origin.Close)
	path := configtest.Portal{Origin: origin.URL, API: origin.URL, Rules: "  rules: [{path: /**}]"}.Write(t)
	cfg, ruleSet, err := config.LoadRules(path, noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	var list []crm.Page
	for _, slug := range slugs {
		list = append(list, crm.Page{ID: slug, Slug: slug, Published: true})
	}
	p := newProbe(cfg, func(string) {})
	p.run(t.Context(), pageRows(cfg, ruleSet, list))
	return p
}

// A response that says nothing about a page is not "cannot be read".
func TestProbeNamesPagesWithoutUsableResponse(t *testing.T) {
	t.Parallel()
	p := originSays(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/busy":
			w.WriteHeader(http.StatusTooManyRequests)
		case "/broken":
			w.WriteHeader(http.StatusBadGateway)
		case "/loop":
			http.Redirect(w, r, "/loop?again", http.StatusFound)
		case "/short":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "half")
		case "/gone":
			http.NotFound(w, r)
		}
	}, "busy", "broken", "loop", "short", "gone")
	want := map[string][]string{
		"the origin answered 429 Too Many Requests":     {"/busy"},
		"the origin answered 502 Bad Gateway":           {"/broken"},
		"the origin redirects it again and again":       {"/loop"},
		"the origin's answer broke off: unexpected EOF": {"/short"},
	}
	if d := cmp.Diff(want, p.failed); d != "" {
		t.Error(d)
	}
}

// A page behind a redirect on the site can be read. HubSpot's own login cannot be passed.
func TestProbeFollowsRedirectsOnSite(t *testing.T) {
	t.Parallel()
	p := originSays(t, func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{
			"/a": "/a/", "/b": "http://localhost:8080/b/", "/c": "https://login.example.com/c",
			"/d": "/_hcms/mem/login?redirect_url=/d",
		}[r.URL.Path]
		if to == "" {
			fmt.Fprint(w, "the page")
			return
		}
		http.Redirect(w, r, to, http.StatusMovedPermanently)
	}, "a", "b", "c", "d")
	open := ""
	for _, l := range p.leaks {
		open += l.Page
	}
	if open != "/a/b" || len(p.failed) > 0 {
		t.Errorf("open %s, failed %v", open, p.failed)
	}
}

func TestProbeGivesUpOnSilentOrigin(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	p := originSays(t, func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	}, "1", "2", "3", "4", "5", "6", "7")
	var reasons []string
	for _, c := range uncheckedPages(p.failed) {
		reasons = append(reasons, fmt.Sprintf("%d %s", len(c.Pages), c.Reason))
	}
	want := []string{"5 no answer: EOF", "2 not requested, because the origin did not respond to the 5 pages before"}
	if d := cmp.Diff(want, reasons); d != "" || asked.Load() < 5 {
		t.Error(asked.Load(), d)
	}
}

// A page that is missing from a list that was not read may exist.
func TestAddNamesUnreadList(t *testing.T) {
	t.Parallel()
	path := portal(t, fakehubspot.Config{
		Pages: []fakehubspot.Page{published("1", "a")}, Wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/posts") {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				next.ServeHTTP(w, r)
			})
		},
	}, "")
	_, err := add(t, path, "7")
	want := `HubSpot has no page with the ID "7"; the posts could not be read: 403 Forbidden; ` +
		"add the scope content to the key (HubSpot: Development, Keys, Service keys)"
	if err == nil || err.Error() != want {
		t.Error(err)
	}
}
