package auth

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/auth/fakecognito"
	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// world is the login part of a gateway with a fake Cognito, a Redis and a clock.
type world struct {
	t          *testing.T
	cognito    *fakecognito.Server
	provider   *httptest.Server
	gateway    *httptest.Server
	redis      *miniredis.Miniredis
	sessions   *session.Manager
	handler    *Handler
	cfg        Config
	tokenError func(url.Values) (status int, code string)
	audit      audited                                          // audit lines
	log        audited                                          // all others
	lossy      lossy                                            // between the gateway and Redis
	ender      func(Ender) Ender                                // wraps the sessions; may be nil
	asked      func(*http.Request)                              // called for each request to the provider; may be nil
	instead    http.Handler                                     // replaces the provider; may be nil
	began      func(*http.Request)                              // called for each request to the gateway; may be nil
	lists      func(context.Context, *session.Session) []string // of a person; nil if none are configured

	serving sync.RWMutex // held for reading by every request: a browser can have its answer before the request has ended

	mu     sync.Mutex
	offset time.Duration
	logins []string // return addresses of finished logins
	judged []judged // each request to the gateway
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.offset)
}

// pass moves the clock of the gateway, the provider and Redis.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	w.offset += d
	w.mu.Unlock()
	w.redis.FastForward(d)
}

// newWorld starts the parts. change may change the configuration and the provider's token errors.
func newWorld(t *testing.T, change func(*world)) *world {
	t.Helper()
	w := &world{t: t, redis: miniredis.RunT(t), cfg: DefaultConfig()}
	w.provider = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.asked != nil {
			w.asked(r)
		}
		if w.instead != nil {
			w.instead.ServeHTTP(rw, r)
			return
		}
		w.cognito.ServeHTTP(rw, r)
	}))
	w.gateway = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.provider.Close)
	t.Cleanup(w.gateway.Close)
	w.cfg.Issuer, w.cfg.Logout = w.provider.URL+"/us-east-1_TEST", "cognito"
	w.cfg.ClientID, w.cfg.ClientSecret = "client", "secret"
	w.cfg.LoginRate = setting.Rate{}
	if change != nil {
		change(w)
	}
	var err error
	w.cognito, err = fakecognito.New(fakecognito.Config{
		URL: w.provider.URL, PoolID: "us-east-1_TEST", Now: w.now, TokenError: w.tokenError,
		Clients: []fakecognito.Client{{
			ID: "client", Secret: "secret",
			CallbackURLs: []string{w.gateway.URL + "/oauth2/callback"},
			LogoutURLs:   []string{w.gateway.URL + "/oauth2/signed_out"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.build()
	return w
}

func (w *world) build() {
	w.t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: w.redis.Addr(), MaxRetries: -1})
	rdb.AddHook(&w.lossy)
	w.t.Cleanup(func() { rdb.Close() })
	ring, err := seal.New(seal.NewKey())
	w.must(err)
	pages, err := page.New(page.DefaultConfig())
	w.must(err)
	log, metrics := slog.New(slog.NewTextHandler(&w.log, nil)), NewMetrics(prometheus.NewRegistry())
	provider, err := openid.New(w.cfg.OpenID(), openid.Deps{Client: providerClient(), Log: log, Now: w.now})
	w.must(err)
	cfg := session.DefaultConfig()
	cfg.CacheTTL = 0
	w.sessions, err = session.New(cfg, session.Deps{
		Redis: rdb, Block: rdb, Ring: ring, Log: log, Now: w.now,
		Metrics: session.NewMetrics(prometheus.NewRegistry()),
	})
	w.must(err)
	w.sessions.Set(session.Settings{
		Config: cfg, Issuer: provider.Issuer(), ClientID: provider.ClientID(),
		RefreshGrace: time.Hour, Refresh: provider.Refresh,
	})
	ender := Ender(w.sessions)
	if w.ender != nil {
		ender = w.ender(ender)
	}
	w.handler, err = New(w.cfg, Deps{
		Provider: provider, Sessions: w.sessions, Ender: ender, Redis: rdb, KeyPrefix: "hubgate:", Ring: ring,
		Pages: pages, Log: log, Lists: w.lists,
		Audit:   slog.New(slog.NewJSONHandler(&w.audit, nil)),
		Metrics: metrics, Limiter: NewLimiter(), Now: w.now, OnLogout: func(http.ResponseWriter, *http.Request) {},
		OnLogin: func(_ *http.Request, _ *session.Session, returnTo string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.logins = append(w.logins, returnTo)
		},
	})
	w.must(err)
}

// providerClient follows no redirects, like the real one.
func providerClient() *http.Client {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Timeout: 5 * time.Second, CheckRedirect: stay}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// serve is the gateway: its own endpoints, and protected pages at all other paths.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	w.serving.RLock()
	defer w.serving.RUnlock()
	if w.began != nil {
		w.began(r)
	}
	site, _ := inbound.ParseSite(w.gateway.URL)
	r = inbound.New(inbound.Config{Sites: []*inbound.Site{site}}).Resolve(r)
	rec := &statusRecorder{ResponseWriter: rw}
	rw = rec
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		o := inbound.Of(r).Outcome
		w.judged = append(w.judged, judged{r.URL.Path, o})
		_, endpoint, own := strings.Cut(r.URL.Path, "/oauth2/")
		login := !own || endpoint == "callback" || endpoint == "start"
		failed := rec.status >= 400 && !slices.Contains([]int{401, 405, 429}, rec.status)
		if login && failed && (o.Reason == "" || !o.Login) {
			w.t.Errorf("%s: %d without a reason in the log: %+v", r.URL.Path, rec.status, o)
		}
	}()
	if name, own := strings.CutPrefix(r.URL.Path, "/oauth2/"); own {
		w.handler.Endpoint(rw, r, name)
		return
	}
	s, err := w.sessions.Load(rw, r)
	if err == nil && r.URL.Path == "/forbidden/" {
		w.handler.deps.Pages.Write(rw, r, page.Page{
			Name: page.Forbidden, Status: http.StatusOK, Forms: []page.Form{w.handler.SwitchForm(r)},
			FormOrigins: w.handler.FormOrigins(),
		})
		return
	}
	if err == nil {
		io.WriteString(rw, "page for "+s.Email+" in "+strings.Join(s.Groups, ","))
		return
	}
	var reason session.Reason
	if none := (*session.NoSessionError)(nil); errors.As(err, &none) {
		reason = none.Reason
	}
	w.handler.Begin(rw, r, reason, 0)
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (w *statusRecorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// outcome returns the outcome of the last request to the gateway, as in its log line.
func (w *world) outcome() inbound.Outcome {
	w.serving.Lock()
	defer w.serving.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.judged[len(w.judged)-1].outcome
}

// reasonOf returns the reason in the log line of the last request to a path.
func (w *world) reasonOf(path string) string {
	w.serving.Lock()
	defer w.serving.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range slices.Backward(w.judged) {
		if j.path == path {
			return j.outcome.Reason
		}
	}
	return ""
}

type judged struct {
	path    string
	outcome inbound.Outcome
}
