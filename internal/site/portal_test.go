package site

import (
	"net/http/httptest"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/configtest"
	"github.com/hubgate/hubgate/proxy/fakesite"
)

// portal starts a HubSpot account and its site, and returns the path of a configuration with rules for them.
func portal(t *testing.T, account fakehubspot.Config, rules string) (path string) {
	t.Helper()
	account.FaultPercent = fakehubspot.NoFaults
	api, site := httptest.NewServer(fakehubspot.New(account)), httptest.NewServer(fakesite.New(fakesite.Config{}))
	t.Cleanup(api.Close)
	t.Cleanup(site.Close)
	return configtest.Portal{Origin: site.URL, API: api.URL, Rules: rules}.Write(t)
}

func noEnvironment(string) string { return "" }

// survey surveys the pages of a portal. It fails the test if the survey fails.
func survey(t *testing.T, path string) Result {
	t.Helper()
	result, err := Survey(t.Context(), Request{Path: path, Getenv: noEnvironment, Report: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// published returns a published page of HubSpot's website.
func published(id, slug string) fakehubspot.Page {
	return fakehubspot.Page{ID: id, Name: "Page " + id, Slug: slug, CurrentState: "PUBLISHED", Kind: "site"}
}

func translation(of, id, slug string) fakehubspot.Page {
	p := published(id, slug)
	p.TranslatedFrom = of
	return p
}
