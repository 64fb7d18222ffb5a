package site

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/configtest"
)

// HubSpot's own login and password pages have status 200 like the page itself.
func TestProbeIgnoresHubSpotsLoginPages(t *testing.T) {
	t.Parallel()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch host := r.Header.Get("X-Hs-Public-Host"); {
		case host != "localhost:8080":
			t.Errorf("%s was requested for %q", r.URL, host)
		case r.URL.Path == "/password":
			fmt.Fprint(w, `<form action="/_hcms/protected/auth">`)
		case r.URL.Path == "/login":
			fmt.Fprint(w, `<a href="/_hcms/mem/login">`)
		case r.URL.Path == "/gone":
			http.NotFound(w, r)
		default:
			fmt.Fprint(w, "the page")
		}
	}))
	t.Cleanup(origin.Close)
	path := configtest.Portal{Origin: origin.URL, API: origin.URL, Rules: "  rules: [{path: /**}]"}.Write(t)
	cfg, ruleSet, err := config.LoadRules(path, noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	var list []crm.Page
	for _, slug := range []string{"password", "login", "gone", "open"} {
		list = append(list, crm.Page{ID: slug, Slug: slug, Published: true})
	}
	var reported, leaks []string
	p := newProbe(cfg, func(text string) { reported = append(reported, text) })
	p.run(t.Context(), pageRows(cfg, ruleSet, list))
	for _, l := range p.leaks {
		leaks = append(leaks, l.Kind+" "+l.Page)
	}
	if d := cmp.Diff([]string{"origin /open"}, leaks); d != "" {
		t.Error(d)
	}
	want := []string{"4 protected pages requested from the origin without the gateway: 1 can be read"}
	if d := cmp.Diff(want, reported); d != "" {
		t.Error(d)
	}
}
