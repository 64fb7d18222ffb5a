package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/configtest"
	"github.com/hubgate/hubgate/proxy/fakesite"
)

// portal starts a HubSpot account and site, and returns a configuration that protects part of it.
func portal(t *testing.T, fc fakehubspot.Config, rules string) (config string) {
	t.Helper()
	fc.FaultPercent = fakehubspot.NoFaults
	api, site := httptest.NewServer(fakehubspot.New(fc)), httptest.NewServer(fakesite.New(fakesite.Config{}))
	t.Cleanup(api.Close)
	t.Cleanup(site.Close)
	return configtest.Portal{Origin: site.URL, API: api.URL, Rules: rules}.Write(t)
}

func hubgate(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, messages bytes.Buffer
	status = Run(t.Context(), args, func(string) string { return "" }, &out, &messages)
	return status, out.String(), messages.String()
}

const memberRules = `  rules:
    # members only
    - path: /members   # the area
    - path: /blog/secret
    - path: /rows
    - path: /partners
      groups: [partner]
`

var leakyPages = []fakehubspot.Page{
	{ID: "1", Name: "Home", CurrentState: "PUBLISHED", Kind: "site"},
	{ID: "2", Name: "Members", Slug: "members", CurrentState: "PUBLISHED", Kind: "site", AccessRulesActive: true},
	{ID: "3", Name: "Mitglieder", Slug: "de/mitglieder", CurrentState: "PUBLISHED", Kind: "site", TranslatedFrom: "2"},
	{ID: "4", Name: "Rows", Slug: "rows", CurrentState: "PUBLISHED", Kind: "site", TableID: "77"},
	{ID: "5", Name: "Spring", Slug: "spring", CurrentState: "PUBLISHED", Kind: "landing"},
	{ID: "6", Name: "Secret", Slug: "blog/secret", CurrentState: "PUBLISHED", Kind: "post"},
	{ID: "7", Name: "Elsewhere", Slug: "x", Domain: "other.example.com", CurrentState: "PUBLISHED", Kind: "site"},
	{ID: "8", Name: "Partners", Slug: "partners", CurrentState: "PUBLISHED", Kind: "site", Password: "secret"},
}

func TestPagesListsRulesAndLeaks(t *testing.T) {
	t.Parallel()
	config := portal(t, fakehubspot.Config{
		Pages: leakyPages, Redirects: []fakehubspot.Redirect{
			{ID: "r", From: "/old", To: "/members", Style: http.StatusUseProxy},
			{ID: "s", From: "/o", To: "/members", Style: http.StatusMovedPermanently},
		},
	}, memberRules)
	status, stdout, stderr := hubgate(t, "pages", "--config", config, "-o", "json")
	var got struct {
		Pages []struct{ ID, Decision string } `json:"pages"`
		Leaks []struct{ Page, Kind string }   `json:"leaks"`
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || status != command.ExitFound {
		t.Fatalf("%d %v %s %s", status, err, stdout, stderr)
	}
	decisions := map[string]string{}
	for _, p := range got.Pages {
		decisions[p.ID] = p.Decision
	}
	want := map[string]string{
		"1": "public", "2": "login", "3": "public", "4": "login", "5": "public", "6": "login", "7": "elsewhere", "8": "login",
	}
	if d := cmp.Diff(want, decisions); d != "" {
		t.Error(d)
	}
	var leaks []string
	for _, l := range got.Leaks {
		leaks = append(leaks, l.Kind+" "+l.Page)
	}
	wantLeaks := []string{
		"feed /blog/secret", "listing /blog/secret", "translation /members", "dynamic /rows", "redirect /members",
	}
	if d := cmp.Diff(wantLeaks, leaks); d != "" {
		t.Error(d, stdout)
	}
	if strings.Contains(stdout, `"secret"`) {
		t.Error("a page's password was printed")
	}
}

func TestPagesProbeReportsOpenOrigin(t *testing.T) {
	t.Parallel()
	config := portal(t, fakehubspot.Config{Pages: leakyPages}, memberRules)
	_, stdout, _ := hubgate(t, "pages", "--config", config, "--probe")
	if !strings.Contains(stdout, "LEAK origin /members: anyone can read it by bypassing the gateway") {
		t.Error(stdout)
	}
}

func TestPagesReportsProgress(t *testing.T) {
	t.Parallel()
	many := make([]fakehubspot.Page, 10_000)
	for i := range many {
		many[i] = fakehubspot.Page{
			ID: fmt.Sprint(i), Name: "Page", Slug: fmt.Sprintf("p/%d", i), CurrentState: "PUBLISHED", Kind: "site",
		}
	}
	config := portal(t, fakehubspot.Config{Pages: many, Limit: 10_000}, memberRules)
	status, stdout, stderr := hubgate(t, "pages", "--config", config, "-o", "json")
	var got struct {
		Pages []struct{ ID string } `json:"pages"`
	}
	err := json.Unmarshal([]byte(stdout), &got)
	if err != nil || status != command.ExitOK || len(got.Pages) != len(many) || !strings.Contains(stderr,
		`{"progress":"9,500 of 10,000 pages"}`+"\n") {
		t.Errorf("%d %v, %d pages, %s", status, err, len(got.Pages), stderr)
	}
}
