package site

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

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

// roundTripper answers requests without a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestProbeReportsProgress(t *testing.T) {
	t.Parallel()
	const nobody = "http://127.0.0.1:1"
	path := configtest.Portal{Origin: nobody, API: nobody, Rules: "  rules: [{path: /**}]"}.Write(t)
	cfg, ruleSet, err := config.LoadRules(path, noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	var list []crm.Page
	for i := range 400 {
		list = append(list, crm.Page{ID: fmt.Sprint(i), Slug: fmt.Sprint(i), Published: true})
	}
	synctest.Test(t, func(t *testing.T) {
		var reported []string
		p := newProbe(cfg, func(text string) { reported = append(reported, text) })
		p.client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Request: r}, nil
		})}
		p.run(t.Context(), pageRows(cfg, ruleSet, list))
		want := []string{
			"100 of 400 protected pages probed, about 1 min left", "200 of 400 protected pages probed, about 40 s left",
			"300 of 400 protected pages probed, about 20 s left",
			"400 protected pages requested from the origin without the gateway: 0 can be read",
		}
		if d := cmp.Diff(want, reported); d != "" {
			t.Error(d)
		}
	})
}

func TestTimeLeft(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		elapsed     time.Duration
		done, total int
	}{
		"1 min": {20 * time.Second, 100, 400}, "20 s": {5 * time.Second, 100, 400}, "30 min": {time.Minute, 100, 3100},
		"10 s": {time.Millisecond, 100, 101},
	} {
		if got := timeLeft(c.elapsed, c.done, c.total); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
