package hubspot

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
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
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
)

// world is a Redis, an imitation of HubSpot, and replicas that keep its contacts.
type world struct {
	t     *testing.T
	redis redis.UniversalClient
	mini  *miniredis.Miniredis
	fake  *fakehubspot.Server
	api   struct{ URL string }
	http  http.RoundTripper // to the API; nil = over the network
	key   string
	cfg   Config
	mu    sync.Mutex
	token string
	away  atomic.Bool
	log   io.Writer // nil = the test's output
}

// loseRedis cuts every connection to Redis and refuses new ones.
func (w *world) loseRedis() {
	w.away.Store(true)
	w.mini.Close()
}

// findRedis ends what loseRedis began; what Redis held is still there.
func (w *world) findRedis() {
	w.mini.Ctx, w.mini.CtxCancel = context.WithCancel(context.Background())
	w.away.Store(false)
}

type option func(*fakehubspot.Config)

// newWorld makes a world in memory: inside a synctest bubble its time passes at once.
func newWorld(t *testing.T, properties map[string]PropertyConfig, options ...option) *world {
	t.Helper()
	w := &world{t: t, key: seal.NewKey(), cfg: DefaultConfig(), token: "pat-na1-test"}
	w.mini = miniredis.NewMiniRedis()
	w.mini.ClockTTL(true)
	t.Cleanup(w.mini.Close)
	w.redis = w.dial()
	fc := fakehubspot.Config{FaultPercent: fakehubspot.NoFaults}
	for _, o := range options {
		o(&fc)
	}
	w.fake = fakehubspot.New(fc)
	w.api.URL, w.http = "http://"+apiHost, memory{w.fake}
	w.cfg.APIURL, w.cfg.AccessToken, w.cfg.HubID = w.api.URL, setting.Secret(w.token), 4711
	w.cfg.Contacts.Properties = properties
	w.cfg.Contacts.MinInterval = 0
	return w
}

// dial opens another connection pool to the Redis in memory.
func (w *world) dial() *redis.Client {
	client := redis.NewClient(&redis.Options{
		MaxRetries: -1, ContextTimeoutEnabled: true, DialerRetries: 1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}, DisableIdentity: true, // neither looks up names
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			if w.away.Load() {
				return nil, errors.New("connection refused")
			}
			return buffered(w.mini.Dial())
		},
	})
	w.t.Cleanup(func() { client.Close() })
	return client
}

// buffered puts room for answers between a client and a server: over a bare pipe a pipeline waits for its own answers to be read.
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

// memory is a network without sockets, and with one host. A handler that panics is a connection that was cut.
type memory struct{ handler http.Handler }

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != apiHost {
		panic("a call to " + r.URL.Host)
	}
	answer, cut := httptest.NewRecorder(), make(chan any, 1)
	go func() {
		defer func() { cut <- recover() }()
		call := r.Clone(r.Context())
		if call.Body == nil {
			call.Body = http.NoBody
		}
		m.handler.ServeHTTP(answer, call)
	}()
	select {
	case fault := <-cut:
		if fault != nil {
			return nil, io.ErrUnexpectedEOF
		}
		return unpacked(answer.Result())
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

const apiHost = "hubspot.test"

// unpacked does what the transport of the network does.
func unpacked(res *http.Response) (*http.Response, error) {
	if res.Header.Get("Content-Encoding") != "gzip" {
		return res, nil
	}
	plain, err := gzip.NewReader(res.Body)
	if err != nil {
		return nil, err
	}
	res.Body = plain
	return res, nil
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
	return w.replicaOn(w.redis, w.http)
}

func (w *world) replicaOn(client redis.UniversalClient, api http.RoundTripper) *replica {
	w.t.Helper()
	ring, err := seal.New(w.key)
	if err != nil {
		w.t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	c, err := New(w.cfg, Deps{
		Queue: client, Block: client, KeyPrefix: "hubgate:", Ring: ring, Client: dependency.NewClient(dependency.ClientConfig{Name: dependency.HubSpotAPI, Timeout: 30 * time.Second, MaxBody: 16 << 20, Base: api}),
		Log: slog.New(slog.NewTextHandler(w.logged(), nil)), Metrics: NewMetrics(reg), Now: time.Now, Token: w.tokenNow,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return &replica{Contacts: c, registry: reg}
}

func (w *world) logged() io.Writer {
	if w.log != nil {
		return w.log
	}
	return w.t.Output()
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
	pause := 20 * time.Millisecond
	for deadline := time.Now().Add(2 * time.Hour); !ok(); pause = min(pause*11/10, time.Second) {
		if time.Now().After(deadline) {
			w.t.Fatalf("never: %s", what)
		}
		time.Sleep(pause)
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

// dropTraces takes the trace ids out of a batch: HubSpot then refuses it as a whole for one bad contact.
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

// bodyOf reads a request's body and leaves it as it was.
func bodyOf(r *http.Request) string {
	raw, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(raw))
	return string(raw)
}
