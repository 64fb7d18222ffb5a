package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/internal/dependency"
)

// site is a gateway whose origin is a handler of the test.
func site(t *testing.T, answer http.HandlerFunc) *running {
	t.Helper()
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	r := newRunning(t)
	r.edit("http://127.0.0.1:9", srv.URL)
	r.reloader.reload(true)
	return r
}

func TestSiteProbeAcceptsEveryStatusBelow500(t *testing.T) {
	t.Parallel()
	for status, up := range map[int]bool{
		200: true, 204: true, 301: true, 403: true, 404: true, 421: true, 429: true,
		500: false, 502: false, 503: false, 522: false,
	} {
		var asked *http.Request
		r := site(t, func(w http.ResponseWriter, r *http.Request) {
			asked = r.Clone(context.Background())
			w.WriteHeader(status)
		})
		if err := r.probes.checkSite(t.Context()); (err == nil) != up {
			t.Errorf("%d: %v", status, err)
		}
		host := asked.Header.Get("X-Hs-Public-Host")
		if asked.Method != http.MethodHead || asked.URL.Path != validationFile || host != "localhost:8080" {
			t.Errorf("asked for %s %s with %v", asked.Method, asked.URL, asked.Header)
		}
	}
}

func TestSiteHealthIgnoresVisitorRequests(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"500":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"503":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"aborted": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := site(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/bad" {
					answer(w, r)
				}
			})
			for range 5 {
				r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "http://localhost:8080/bad", nil))
			}
			if c := r.health().Checks["hubspot_site"]; !c.OK {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestSiteHealthRecoversWithoutAVisitor(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	down.Store(true)
	r := site(t, func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var group errgroup.Group
	t.Cleanup(func() { cancel(); group.Wait() })
	group.Go(func() error { r.probes.site.Run(ctx); return nil })
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "http://localhost:8080/", nil)) // the only visitor
	healthy := func() bool { return r.health().Checks["hubspot_site"].OK }
	eventually(t, "the site is down", func() bool { return !healthy() })
	if c := r.health().Checks["hubspot_site"]; !strings.Contains(c.Detail, "502") {
		t.Errorf("while it is down: %+v", c)
	}
	down.Store(false)
	eventually(t, "the site is up again", healthy)
}

// TestAPIRecoversWithoutACall checks what the metric says after an outage in a night without logins.
func TestAPIRecoversWithoutACall(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	down.Store(true)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(api.Close)
	r := startRunning(t, reloadYAML+"hubspot: {access_token: token, api_url: \""+api.URL+"\"}\n", nil)
	ctx, cancel := context.WithCancel(t.Context())
	var group errgroup.Group
	t.Cleanup(func() { cancel(); group.Wait() })
	group.Go(func() error { r.probes.hubspot.Run(ctx); return nil })
	r.metrics.dependencies.Observe(dependency.HubSpotAPI, dependency.Call{ // the last one of the contact sync
		Op: dependency.OpUpsert, Result: dependency.ServerError,
	})
	up := func() float64 {
		for _, metric := range gathered(t, r.gateway)["hubgate_dependency_up"].Metric {
			if metric.Label[0].GetValue() == "hubspot_api" {
				return metric.Gauge.GetValue()
			}
		}
		return -1
	}
	eventually(t, "the API is down", func() bool { return up() == 0 })
	down.Store(false)
	eventually(t, "the API is up again", func() bool { return up() == 1 })
}

func TestProviderCheckFailsWhileTheProviderIsDown(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	r.metrics.dependencies.SetUp(dependency.IDP, false, "refused")
	if c := r.health().Checks["idp"]; c.OK || c.Detail != "refused" || c.Since.IsZero() {
		t.Errorf("%+v", c)
	}
	r.metrics.dependencies.SetUp(dependency.IDP, true, "answers")
	if c := r.health().Checks["idp"]; !c.OK {
		t.Errorf("%+v", c)
	}
}

func TestAPIProbeSendsNoToken(t *testing.T) {
	t.Parallel()
	for status, up := range map[int]bool{200: true, 401: true, 404: true, 429: true, 500: false, 503: false} {
		asked := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked++; r.Header.Get("Authorization") != "" {
				t.Error("the token was sent")
			}
			w.WriteHeader(status)
		}))
		t.Cleanup(srv.Close)
		r := newRunning(t)
		if err := r.probes.checkAPI(t.Context()); err != nil || asked != 0 {
			t.Errorf("contact sync is off: %v, asked %d times", err, asked)
		}
		cfg := *r.current.Load().cfg
		cfg.HubSpot.AccessToken, cfg.HubSpot.APIURL = "token", srv.URL
		gen := *r.current.Load()
		gen.cfg = &cfg
		r.current.Store(&gen)
		if err := r.probes.checkAPI(t.Context()); (err == nil) != up || asked != 1 {
			t.Errorf("%d: %v, asked %d times", status, err, asked)
		}
	}
}

// TestAPIIsDownWhileTheTokenIsRejected checks that a rejected token shows in the metric, although the API answers.
func TestAPIIsDownWhileTheTokenIsRejected(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	r := newRunning(t)
	cfg := *r.current.Load().cfg
	cfg.HubSpot.AccessToken, cfg.HubSpot.APIURL = "token", srv.URL
	gen := *r.current.Load()
	gen.cfg = &cfg
	r.current.Store(&gen)
	for _, refusal := range []error{errors.New("401"), nil, errors.New("403: the token lacks scopes")} {
		r.probes.refusal = func() error { return refusal }
		if err := r.probes.checkAPI(t.Context()); !errors.Is(err, refusal) {
			t.Errorf("%v: %v", refusal, err)
		}
	}
}
