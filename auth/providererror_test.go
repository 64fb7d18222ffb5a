package auth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hubgate/hubgate/auth/openid"
)

// callbackWith begins a login and calls the callback with made-up parameters.
func (w *world) callbackWith(query string) answer {
	w.t.Helper()
	b := w.browser()
	state := mustParse(w.t, b.step(w.gateway.URL+"/members/").Header.Get("Location")).Query().Get("state")
	return b.step(w.gateway.URL + "/oauth2/callback?" + query + "&state=" + state)
}

func TestProviderErrorInCallbackDoesNotChangeHealth(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{
		"unauthorized_client": 500, "invalid_scope": 500, "unsupported_response_type": 500,
		"server_error": 503, "temporarily_unavailable": 503,
		"invalid_client": 400, "invalid_grant": 400, "access_denied": 403, "invalid_request": 400,
		"login_required": 400, "made_up": 400,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			for range 3 {
				if got := w.callbackWith("error=" + code); got.StatusCode != want {
					t.Errorf("%d, want %d", got.StatusCode, want)
				}
			}
			if ok, detail, _ := w.handler.deps.Provider.Health(); !ok {
				t.Errorf("unhealthy: %s", detail)
			}
			log := w.log.String()
			if strings.Contains(log, "=ERROR") || strings.Contains(log, "=WARN") || strings.Count(log, "error="+code) != 1 {
				t.Errorf("three times within a minute:\n%s", log)
			}
			w.pass(time.Minute)
			w.callbackWith("error=" + code)
			if n := strings.Count(w.log.String(), "error="+code); n != 2 {
				t.Errorf("a minute later: %d lines", n)
			}
		})
	}
}

func TestProviderErrorsThatAreMadeUpShareOneLogLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, code := range []string{"made_up", "made_again", "%00", "x", "some_other_word", "<b>"} {
		w.callbackWith("error=" + url.QueryEscape(code))
	}
	if n := strings.Count(w.log.String(), "callback with a provider error"); n != 1 {
		t.Errorf("%d lines:\n%s", n, w.log.String())
	}
}

func TestProviderAlarmEndsByProbe(t *testing.T) {
	t.Parallel()
	login := func(w *world) {
		b := w.browser()
		b.step(w.consent(b, w.atProvider(b, "/members/"), "alice@example.com"))
	}
	refresh := func(w *world) { w.handler.deps.Provider.Refresh(w.t.Context(), "unknown") }
	for name, c := range map[string]struct {
		code string
		ask  func(*world)
	}{
		"invalid_client at a login":        {"invalid_client", login},
		"invalid_client at a refresh":      {"invalid_client", refresh},
		"unauthorized_client at a refresh": {"unauthorized_client", refresh},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var refuses atomic.Bool
			refuses.Store(true)
			w := newWorld(t, func(w *world) {
				w.tokenError = func(url.Values) (int, string) {
					if refuses.Load() {
						return http.StatusBadRequest, c.code
					}
					return 0, ""
				}
			})
			healthy := func() bool { ok, _, _ := w.handler.deps.Provider.Health(); return ok }
			for range 3 {
				c.ask(w)
			}
			failed := w.handler.deps.Provider.Probe(t.Context())
			if n := strings.Count(w.log.String(), "level=ERROR"); healthy() || failed == nil || n != 1 {
				t.Errorf("refused: healthy %v, probe %v, %d lines", healthy(), failed, n)
			}
			refuses.Store(false)
			w.must(w.handler.deps.Provider.Probe(t.Context()))
			if !healthy() || strings.Count(w.log.String(), "accepts the gateway's settings again") != 1 {
				t.Errorf("accepted again: healthy %v\n%s", healthy(), w.log.String())
			}
		})
	}
}

func TestProviderDiscoveryOutlivesRequest(t *testing.T) {
	t.Parallel()
	p, asked, release := newIssuer(t), make(chan struct{}, 9), make(chan struct{})
	inner := p.Config.Handler
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, ".well-known") {
			asked <- struct{}{}
			<-release
		}
		inner.ServeHTTP(w, r)
	})
	w := newWorld(t, func(w *world) { w.cfg.Issuer, w.cfg.Logout = p.URL, "local" })
	provider := w.handler.deps.Provider
	authorize := func(ctx context.Context) (string, error) {
		return provider.AuthorizeURL(ctx, openid.Authorization{})
	}
	gone, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := authorize(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled request: %v", err)
	}
	if ok, detail, _ := provider.Health(); !ok {
		t.Errorf("unhealthy after a canceled request: %s", detail)
	}
	close(release)
	if _, err := authorize(t.Context()); err != nil || len(asked) != 0 {
		t.Errorf("next request: %v, %d more discoveries", err, len(asked))
	}
}
