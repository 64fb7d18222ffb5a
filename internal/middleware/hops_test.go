package middleware

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
)

// chainOf returns the host and scheme steps of an https site behind trusted proxies.
func chainOf(t *testing.T, forwardAuth string) http.Handler {
	t.Helper()
	pages, err := page.New(page.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	site, _ := inbound.ParseSite("https://www.example.com")
	facts := inbound.New(inbound.Config{
		Sites: []*inbound.Site{site}, RedirectFrom: map[string]*inbound.Site{"example.com": site},
		Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, ForwardAuth: forwardAuth,
	})
	f := &Chain{Pages: pages, Warnings: &Warnings{Log: slog.New(slog.DiscardHandler)}, Ask: "/oauth2/auth"}
	passed := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	return facts.Wrap(f.Host(f.Scheme(passed)))
}

func TestSchemeBehindSeveralProxiesDoesNotLoop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		forwarded, proto string
		want             int
	}{
		{"198.51.100.7, 10.0.0.2", "https, http", http.StatusOK},
		{"198.51.100.7, 10.0.0.3, 10.0.0.2", "https, http, http", http.StatusOK},
		{"1.2.3.4, 198.51.100.7, 10.0.0.2", "http, https, http", http.StatusOK},
		{"198.51.100.7, 10.0.0.2", "http, https", http.StatusPermanentRedirect},
		{"198.51.100.7", "https, http", http.StatusPermanentRedirect},
	} {
		r := httptest.NewRequest("GET", "http://www.example.com/members/", nil)
		r.RemoteAddr = "10.0.0.1:1"
		r.Header.Set("X-Forwarded-For", c.forwarded)
		r.Header.Set("X-Forwarded-Proto", c.proto)
		w := httptest.NewRecorder()
		chainOf(t, "").ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s, %s: %d, want %d", c.forwarded, c.proto, w.Code, c.want)
		}
	}
}

// TestForwardAuthAcceptsAnyHost checks that forward auth works under hubgate's internal name, as Traefik asks, but for
// a trusted proxy and at its path only.
func TestForwardAuthAcceptsAnyHost(t *testing.T) {
	t.Parallel()
	const ask = "/oauth2/auth"
	for _, c := range []struct {
		name, mode, peer, path, host, forwarded, proto string
		want                                           int
	}{
		{"Traefik", ask, "10.0.0.1:1", ask, "hubgate:8080", "www.example.com", "https", 200},
		{"by http", ask, "10.0.0.1:1", ask, "hubgate:8080", "www.example.com", "http", 200},
		{"under another name of the site", ask, "10.0.0.1:1", ask, "example.com", "www.example.com", "https", 200},
		{"another host", ask, "10.0.0.1:1", ask, "hubgate:8080", "evil.example", "https", 421},
		{"no host", ask, "10.0.0.1:1", ask, "hubgate:8080", "", "https", 421},
		{"a stranger", ask, "203.0.113.9:1", ask, "hubgate:8080", "www.example.com", "https", 421},
		{"another path", ask, "10.0.0.1:1", "/members/", "hubgate:8080", "www.example.com", "https", 421},
		{"the query mode", "", "10.0.0.1:1", ask, "hubgate:8080", "www.example.com", "https", 421},
		{"the query mode, by http", "", "10.0.0.1:1", ask, "www.example.com", "", "http", 200},
	} {
		r := httptest.NewRequest("GET", "http://"+c.host+c.path, nil)
		r.RemoteAddr = c.peer
		r.Header.Set("X-Forwarded-Proto", c.proto)
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-Host", c.forwarded)
		}
		w := httptest.NewRecorder()
		chainOf(t, c.mode).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
	}
}
