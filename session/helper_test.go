package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
)

// clock is the clock of a test, shared by its replicas and its Redis.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	redis *miniredis.Miniredis
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.redis.FastForward(d)
}

// world is one Redis with any number of replicas.
type world struct {
	t      *testing.T
	redis  *miniredis.Miniredis
	clock  *clock
	ring   *seal.Ring
	cfg    Config
	site   *inbound.Site
	outage bool

	password string // of the replicas that are created from now on
}

func newWorld(t *testing.T) *world {
	t.Helper()
	m := miniredis.RunT(t)
	ring, err := seal.New(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	site, _ := inbound.ParseSite("https://www.example.com")
	w := &world{t: t, redis: m, ring: ring, cfg: DefaultConfig(), site: site}
	w.clock = &clock{now: time.Unix(1_800_000_000, 0), redis: m}
	m.SetTime(w.clock.now)
	w.cfg.CacheTTL = 0
	return w
}

const (
	issuer   = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_X"
	clientID = "client"
)

// replica returns a Manager. refresh may be nil.
func (w *world) replica(refresh RefreshFunc) *Manager {
	w.t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: w.redis.Addr(), MaxRetries: -1, Password: w.password})
	w.t.Cleanup(func() { rdb.Close() })
	m, err := New(w.cfg, Deps{
		Redis: rdb, Block: rdb, Ring: w.ring, Log: slog.New(slog.DiscardHandler),
		Metrics: NewMetrics(prometheus.NewRegistry()), Now: w.clock.Now,
		Store: func() redisclient.State { return redisclient.State{Down: w.outage, Since: w.clock.Now()} },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	m.Set(Settings{Config: w.cfg, Issuer: issuer, ClientID: clientID, RefreshGrace: time.Hour, Refresh: refresh})
	return m
}

// subscribed runs a Manager and returns when its subscription is up.
func (w *world) subscribed(m *Manager) {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); m.Run(ctx) }()
	w.t.Cleanup(func() { stop(); <-done })
	w.eventually("subscribed", func() bool { return m.cache.epoch.current() != 0 })
}

func (w *world) eventually(what string, done func() bool) {
	w.t.Helper()
	limit := time.After(30 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); !done(); {
		select {
		case <-tick.C:
		case <-limit:
			w.t.Fatalf("never: %s", what)
		}
	}
}

// request returns a browser's request with these cookies.
func (w *world) request(cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodGet, w.site.Origin()+"/members/", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r.WithContext(inbound.With(r.Context(), &inbound.Facts{Site: w.site}))
}

func ada() Session {
	return Session{
		User: User{
			Issuer: issuer, Subject: "ada-1", Email: "ada@example.com", EmailVerified: true, Name: "Ada",
			Groups: []string{"members"}, Claims: map[string]any{"email": "ada@example.com"},
		},
		Tokens: Tokens{Access: "access-secret", Refresh: "refresh-secret"}, ClientID: clientID,
	}
}

// login starts a session and returns its cookie.
func (w *world) login(m *Manager, s Session, before ...*http.Cookie) (*http.Cookie, *Session) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	started, err := m.Start(rec, w.request(before...), s)
	for errors.Is(err, context.DeadlineExceeded) { // the machine is busy
		rec = httptest.NewRecorder()
		started, err = m.Start(rec, w.request(before...), s)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return rec.Result().Cookies()[0], started
}

func (w *world) load(m *Manager, cookies ...*http.Cookie) (*Session, error) {
	return m.Load(httptest.NewRecorder(), w.request(cookies...))
}

// reason returns why there is no session: "" if there is one, "unavailable" for other errors.
func (w *world) reason(m *Manager, cookies ...*http.Cookie) string {
	w.t.Helper()
	_, err := w.load(m, cookies...)
	var none *NoSessionError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &none):
		return string(none.Reason)
	}
	return "unavailable"
}

// mustLoad ends the test unless the cookie has a session.
func (w *world) mustLoad(m *Manager, cookie *http.Cookie) {
	w.t.Helper()
	if got := w.reason(m, cookie); got != "" {
		w.t.Fatalf("no session: %s", got)
	}
}

func minutes(n int) setting.Duration { return setting.Duration(time.Duration(n) * time.Minute) }
func minutesOrNone(n int) setting.DurationOrNone {
	return setting.DurationOrNone(time.Duration(n) * time.Minute)
}

// currentLists returns the lists that a session is added to.
func (m *Manager) currentLists(s *Session) []string {
	current, _ := m.store.keys.indexes(s)
	return current
}

// setState replaces what the probe of Redis reports.
func (m *Manager) setState(state func() redisclient.State) {
	m.deps.Store, m.cache.state, m.monitor.state = state, state, state
}
