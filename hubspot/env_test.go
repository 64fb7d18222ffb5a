package hubspot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
)

// env is a Redis, a fake HubSpot, and replicas that sync contacts.
type env struct {
	t         *testing.T
	redis     redis.UniversalClient
	mini      *miniredis.Miniredis
	fake      *fakehubspot.Server
	api       struct{ URL string }
	http      http.RoundTripper // to the API; nil = over the network
	key       string            // of the ring; several are separated by commas
	cfg       Config
	mu        sync.Mutex
	token     string
	redisDown atomic.Bool
	log       io.Writer // nil = the test's output
}

// stopRedis closes every connection to Redis and refuses new ones.
func (e *env) stopRedis() {
	e.redisDown.Store(true)
	e.mini.Close()
}

// restartRedis undoes stopRedis; the data is kept.
func (e *env) restartRedis() {
	e.mini.Ctx, e.mini.CtxCancel = context.WithCancel(context.Background())
	e.redisDown.Store(false)
}

type option func(*fakehubspot.Config)

// newEnv returns an env in memory. Inside a synctest bubble its time passes at once.
func newEnv(t *testing.T, properties map[string]mapping.Property, options ...option) *env {
	t.Helper()
	e := &env{t: t, key: seal.NewKey(), cfg: DefaultConfig(), token: "pat-na1-test"}
	e.mini = miniredis.NewMiniRedis()
	e.mini.ClockTTL(true)
	t.Cleanup(e.mini.Close)
	e.redis = e.dial()
	fc := fakehubspot.Config{FaultPercent: fakehubspot.NoFaults}
	for _, o := range options {
		o(&fc)
	}
	e.fake = fakehubspot.New(fc)
	e.api.URL, e.http = "http://"+apiHost, memoryTransport{e.fake}
	e.cfg.APIURL, e.cfg.AccessToken, e.cfg.HubID = e.api.URL, setting.Secret(e.token), 4711
	e.cfg.Contacts.Properties = properties
	e.cfg.Contacts.MinInterval = 0
	return e
}

// dial opens another connection pool to the Redis in memory.
func (e *env) dial() *redis.Client {
	client := redis.NewClient(&redis.Options{
		MaxRetries: -1, ContextTimeoutEnabled: true, DialerRetries: 1,
		DisableIdentity:          true, // this and the next option avoid name look-ups
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			if e.redisDown.Load() {
				return nil, errors.New("connection refused")
			}
			return buffered(e.mini.Dial())
		},
	})
	e.t.Cleanup(func() { client.Close() })
	return client
}

// buffered adds a buffer for replies between client and server: over a bare pipe a pipeline waits for its own replies
// to be read.
func buffered(server net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	client, inner := net.Pipe()
	answers := make(chan []byte, 4096)
	go func() {
		_, _ = io.Copy(server, inner)
		server.Close()
	}()
	go func() {
		defer close(answers)
		for {
			chunk := make([]byte, 4096)
			n, err := server.Read(chunk)
			if err != nil {
				return
			}
			answers <- chunk[:n]
		}
	}()
	go func() {
		defer inner.Close()
		for chunk := range answers {
			_, _ = inner.Write(chunk)
		}
	}()
	return client, nil
}

func (e *env) setToken(token string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.token = token
}

func (e *env) tokenNow() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.token
}

type replica struct {
	*Contacts
	registry *prometheus.Registry
	stop     func()
}

// logOutput returns where replicas log to.
func (e *env) logOutput() io.Writer {
	if e.log != nil {
		return e.log
	}
	return e.t.Output()
}

// replica returns a replica without its worker.
func (e *env) replica() *replica {
	e.t.Helper()
	return e.replicaOn(e.redis, e.http)
}

func (e *env) replicaOn(client redis.UniversalClient, api http.RoundTripper) *replica {
	e.t.Helper()
	ring, err := seal.New(strings.Split(e.key, ",")...)
	if err != nil {
		e.t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	c, err := New(e.cfg, Deps{
		Queue: client, Block: client, KeyPrefix: "hubgate:", Ring: ring,
		Client: dependency.NewClient(dependency.ClientConfig{
			Name: dependency.HubSpotAPI, Timeout: 30 * time.Second, MaxBody: 16 << 20, Base: api,
		}),
		Log: slog.New(slog.NewTextHandler(e.logOutput(), nil)), Metrics: NewMetrics(reg), Now: time.Now,
		Token: e.tokenNow,
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return &replica{Contacts: c, registry: reg}
}

// startReplica returns a replica whose worker runs until stop or the end of the test.
func (e *env) startReplica() *replica {
	e.t.Helper()
	r := e.replica()
	e.start(r)
	return r
}

// start runs the worker of a replica until stop or the end of the test.
func (e *env) start(r *replica) {
	e.t.Helper()
	ctx, cancel := context.WithCancel(e.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); err != nil {
			e.t.Error(err)
		}
	}()
	r.stop = func() { cancel(); <-done }
	e.t.Cleanup(r.stop)
}

func (e *env) enqueue(r *replica, l outbox.Login) {
	e.t.Helper()
	if err := r.Enqueue(e.t.Context(), l); err != nil {
		e.t.Fatal(err)
	}
}

func testLogin(email string) outbox.Login {
	return outbox.Login{
		Issuer: "https://idp.example", Subject: "sub-" + email, Email: email, EmailVerified: true,
		Host:      "www.example.com",
		FirstPage: "/members/?token=secret", At: time.Now(), Claims: map[string]any{"given_name": "Ada"},
	}
}

// waitFor waits for a condition that another goroutine fulfils.
func (e *env) waitFor(what string, ok func() bool) {
	e.t.Helper()
	pause := 20 * time.Millisecond
	for deadline := time.Now().Add(2 * time.Hour); !ok(); pause = min(pause*11/10, time.Second) {
		if time.Now().After(deadline) {
			e.t.Fatalf("timed out: %s", what)
		}
		time.Sleep(pause)
	}
}

func (e *env) waitDrained(r *replica) {
	e.t.Helper()
	e.waitFor("the queue is empty", func() bool {
		s, err := r.Status(e.t.Context())
		return err == nil && s.Queued+s.Delayed+s.Held+s.InFlight == 0
	})
}

func (e *env) contact(email string) map[string]string {
	e.t.Helper()
	var found map[string]string
	for _, c := range e.fake.Contacts() {
		if c.Properties["email"] != email {
			continue
		}
		if found != nil {
			e.t.Errorf("two contacts of %s", email)
		}
		found = c.Properties
	}
	return found
}

func (r *replica) count(how result) float64 {
	return testutil.ToFloat64(r.deps.Metrics.contacts.WithLabelValues(string(how)))
}

// dropTraces removes the trace ids of a batch, so that HubSpot rejects it as a whole for one bad contact.
func dropTraces(r *http.Request) {
	var body struct {
		Inputs []map[string]any `json:"inputs"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	for _, in := range body.Inputs {
		delete(in, "objectWriteTraceId")
	}
	raw, _ := json.Marshal(body)
	r.Body = io.NopCloser(bytes.NewReader(raw))
}

// bodyOf returns a request's body and leaves it readable.
func bodyOf(r *http.Request) string {
	raw, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(raw))
	return string(raw)
}
