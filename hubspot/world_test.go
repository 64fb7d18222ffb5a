package hubspot

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
)

// world is a Redis, an imitation of HubSpot, and replicas that keep its contacts.
type world struct {
	t     *testing.T
	redis redis.UniversalClient
	mini  *miniredis.Miniredis
	fake  *fakehubspot.Server
	api   *httptest.Server
	key   string
	cfg   Config
	mu    sync.Mutex
	token string
}

type option func(*fakehubspot.Config)

func newWorld(t *testing.T, properties map[string]PropertyConfig, options ...option) *world {
	t.Helper()
	w := &world{t: t, key: seal.NewKey(), cfg: DefaultConfig(), token: "pat-na1-test"}
	w.mini = miniredis.RunT(t)
	w.mini.ClockTTL(true)
	w.redis = redis.NewClient(&redis.Options{Addr: w.mini.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true})
	t.Cleanup(func() { w.redis.Close() })
	fc := fakehubspot.Config{FaultPercent: fakehubspot.NoFaults}
	for _, o := range options {
		o(&fc)
	}
	w.fake = fakehubspot.New(fc)
	w.api = httptest.NewServer(w.fake)
	t.Cleanup(w.api.Close)
	w.cfg.APIURL, w.cfg.AccessToken, w.cfg.HubID = w.api.URL, setting.Secret(w.token), 4711
	w.cfg.Contacts.Properties = properties
	w.cfg.Contacts.MinInterval = 0
	return w
}

func (w *world) setToken(token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.token = token
}

func (w *world) tokenNow() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.token
}

type replica struct {
	*Contacts
	registry *prometheus.Registry
	stop     func()
}

// replica makes one process' part, without its worker.
func (w *world) replica() *replica {
	w.t.Helper()
	ring, err := seal.New(w.key)
	if err != nil {
		w.t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	c, err := New(w.cfg, Deps{
		Queue: w.redis, Block: w.redis, KeyPrefix: "hubgate:", Ring: ring, Client: &http.Client{Timeout: 5 * time.Second},
		Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)), Metrics: NewMetrics(reg), Now: time.Now, Token: w.tokenNow,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return &replica{Contacts: c, registry: reg}
}

// running makes a replica whose worker works until stop or the end of the test.
func (w *world) running() *replica {
	w.t.Helper()
	r := w.replica()
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	r.stop = func() { cancel(); <-done }
	w.t.Cleanup(r.stop)
	return r
}

func (w *world) login(r *replica, l Login) {
	w.t.Helper()
	if err := r.Enqueue(w.t.Context(), l); err != nil {
		w.t.Fatal(err)
	}
}

func person1(email string) Login {
	return Login{
		Issuer: "https://idp.example", Subject: "sub-" + email, Email: email, EmailVerified: true, Host: "www.example.com",
		FirstPage: "/members/?token=secret", At: time.Now(), Claims: map[string]any{"given_name": "Ada"},
	}
}

// until waits for a condition of another goroutine's making.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			w.t.Fatalf("never: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *world) drained(r *replica) {
	w.t.Helper()
	w.until("the queue is empty", func() bool {
		s, err := r.Status(w.t.Context())
		return err == nil && s.Queued+s.Delayed+s.InFlight == 0
	})
}

func (w *world) contact(email string) map[string]string {
	w.t.Helper()
	var found map[string]string
	for _, c := range w.fake.Contacts() {
		if c.Properties["email"] != email {
			continue
		}
		if found != nil {
			w.t.Errorf("two contacts of %s", email)
		}
		found = c.Properties
	}
	return found
}

func (r *replica) counted(how result) float64 {
	return testutil.ToFloat64(r.deps.Metrics.contacts.WithLabelValues(string(how)))
}
