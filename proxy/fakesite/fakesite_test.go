package fakesite_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/proxy/fakesite"
)

func get(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("X-HS-Public-Host", "www.example.com")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestSiteBehavesLikeHubSpot(t *testing.T) {
	t.Parallel()
	site := fakesite.New(fakesite.Config{})
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/", 200, "Bicycles for weather"},
		{"/MEMBERS/Handbook/", 200, "2.4 bar in front"},
		{"/partners/price-list?hs_preview=abc-1", 200, "preview of a draft"},
		{"/nowhere", 404, "This road ends here"},
		{"/hubfs/hs-reverse-proxy-validation-test", 200, "ok"},
		{"/hubfs/members/handbook.txt", 200, "bring cake"},
		{"/hubfs/4711/members/handbook.txt", 200, "bring cake"},
		{"/hs-fs/hubfs/members/handbook.txt?width=100", 200, "bring cake"},
		{"/hub/4711/hubfs/members/handbook.txt", 200, "bring cake"},
		{"/hubfs/partners/price%20list%202026.txt", 200, "Fjord touring"},
		{"/hubfs/bilder/fahrr%C3%A4der.txt", 200, "in Worten"},
		{"/blog/rss.xml", 200, "very large dog"},
		{"/sitemap.xml", 200, "/members/handbook"},
		{"/_hcms/search?term=cake", 200, `"/members/handbook"`},
		{"/hs-search-results?term=cake", 200, `href="/members/handbook"`},
		{"/_hcms/diagnostics", 200, `"portalId":4711`},
		{"/robots.txt", 200, "Disallow: /_hcms/preview/"},
	} {
		if w := get(t, site, c.path); w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d, want %d and %q in\n%s", c.path, w.Code, c.status, c.want, w.Body)
		}
	}
}

func TestUnknownDomainIsNotFound(t *testing.T) {
	t.Parallel()
	site := fakesite.New(fakesite.Config{PublicHost: "www.example.com"})
	if w := get(t, site, "/"); w.Code != 200 {
		t.Errorf("the connected domain: %d", w.Code)
	}
	for _, host := range []string{"", "other.example.com"} {
		if w := get(t, site, "/", "X-HS-Public-Host", host); w.Code != 404 {
			t.Errorf("%q: %d, want 404", host, w.Code)
		}
	}
}

func TestRedirectNamesOrigin(t *testing.T) {
	t.Parallel()
	w := get(t, fakesite.New(fakesite.Config{}), "http://4711.sites-proxy.hscoscdn10.net/old-pricing")
	if got := w.Header().Get("Location"); w.Code != 301 || got != "http://4711.sites-proxy.hscoscdn10.net/pricing" {
		t.Errorf("%d to %q", w.Code, got)
	}
}

func TestFileValidatorsAndRanges(t *testing.T) {
	t.Parallel()
	site := fakesite.New(fakesite.Config{})
	tag := get(t, site, "/hubfs/logo.svg").Header().Get("Etag")
	if w := get(t, site, "/hubfs/logo.svg", "If-None-Match", tag); w.Code != 304 {
		t.Errorf("with If-None-Match: %d, want 304", w.Code)
	}
	if w := get(t, site, "/hubfs/logo.svg", "Range", "bytes=0-3"); w.Code != 206 || w.Body.String() != "<svg" {
		t.Errorf("range: %d %q", w.Code, w.Body)
	}
}
