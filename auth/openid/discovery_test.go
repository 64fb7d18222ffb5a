package openid

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// newProvider returns the Provider of a server, by the clock now.
func newProvider(t *testing.T, server *httptest.Server, now func() time.Time) *Provider {
	t.Helper()
	cfg := Config{Issuer: server.URL, ClientID: "client", ClientAuth: "none", Logout: "auto", Scopes: []string{"openid"}}
	deps := Deps{Client: server.Client(), Log: slog.New(slog.DiscardHandler), Now: now}
	p, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDiscoveryBacksOffAndRecovers(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) < 4 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Write([]byte(`{"issuer":"` + server.URL + `","authorization_endpoint":"` + server.URL + `/a",` +
			`"token_endpoint":"` + server.URL + `/t","jwks_uri":"` + server.URL + `/j"}`))
	}))
	t.Cleanup(server.Close)
	now := time.Now()
	p := newProvider(t, server, func() time.Time { return now })
	for _, step := range []struct {
		wait     time.Duration
		requests int32 // so far
		healthy  bool
	}{
		{0, 1, false}, {0, 1, false}, {999 * time.Millisecond, 1, false}, {time.Millisecond, 2, false},
		{time.Second, 2, false}, {time.Second, 3, false}, {3 * time.Second, 3, false}, {time.Second, 4, true},
		{time.Hour, 4, true},
	} {
		now = now.Add(step.wait)
		_, err := p.AuthorizeURL(t.Context(), Authorization{})
		healthy, detail, _ := p.Health()
		if requests.Load() != step.requests || (err == nil) != step.healthy || healthy != step.healthy {
			t.Errorf("after %s: %d requests, %v, health %v %q", step.wait, requests.Load(), err, healthy, detail)
		}
	}
}

func TestLogoutURLIsLocalWithoutProvider(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	const back = "https://www.example.com/oauth2/signed_out"
	location, kind := newProvider(t, server, time.Now).LogoutURL(t.Context(), back, "")
	if location != back || kind != "local" {
		t.Errorf("%s, %s", location, kind)
	}
}
