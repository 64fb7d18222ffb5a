package access

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// world is a Redis, a HubSpot account, and replicas.
type world struct {
	t         *testing.T
	mini      *miniredis.Miniredis
	redisDown atomic.Bool
	key       string
	ring      *seal.Ring
	hubspot   *account
	cfg       Config
	accountID atomic.Pointer[string]
	hubID     atomic.Int64
	pauses    atomic.Int64
	log       syncBuffer
}

// newWorld returns a world in memory, for a synctest bubble.
func newWorld(t *testing.T) *world {
	t.Helper()
	key := seal.NewKey()
	ring, err := seal.New(key)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, key: key, ring: ring, hubspot: newAccount(), cfg: DefaultConfig()}
	w.setAccount("4711")
	w.cfg.Lists = map[string]ListID{"customers": "1", "beta": "2"}
	w.cfg.Properties = []string{"tier"}
	w.mini = miniredis.NewMiniRedis()
	w.mini.ClockTTL(true)
	t.Cleanup(w.mini.Close)
	return w
}

// dial opens a connection pool to the Redis in memory.
func (w *world) dial() redis.UniversalClient {
	client := redis.NewClient(&redis.Options{
		MaxRetries: -1, ContextTimeoutEnabled: true, DialerRetries: 1, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			if w.redisDown.Load() {
				return nil, errors.New("connection refused")
			}
			return buffered(w.mini.Dial())
		},
	})
	w.t.Cleanup(func() { client.Close() })
	return client
}

// buffered adds a buffer for replies: over a bare pipe a pipeline waits for its own replies to be read.
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

// stopRedis closes every connection to Redis and refuses new ones.
func (w *world) stopRedis() {
	w.redisDown.Store(true)
	w.mini.Close()
}

type unlimited struct{}

func (unlimited) Acquire(ctx context.Context) (string, error) { return "", ctx.Err() }
func (unlimited) Done(string, http.Header)                    {}

// idle returns a replica that does not run.
func (w *world) idle(rdb redis.UniversalClient) *Access {
	w.t.Helper()
	client := crm.New(crm.Config{AccessToken: "pat-na1-test", APIURL: "http://hubspot.test", APIVersion: "2026-09"},
		&http.Client{Transport: w.hubspot, Timeout: 30 * time.Second}, unlimited{}, nil)
	a, err := New(w.cfg, Deps{
		Redis: rdb, KeyPrefix: "hubgate:", Ring: w.ring, Urgent: client, Spare: client,
		Token: w.account, HubID: w.hubID.Load,
		Rate: func() setting.Rate { return setting.Rate{Requests: 90, Per: setting.Duration(10 * time.Second)} },
		Pause: func(context.Context, string, time.Duration) error {
			w.pauses.Add(1)
			return nil
		},
		Log: slog.New(slog.NewTextHandler(&w.log, nil)), Metrics: NewMetrics(prometheus.NewRegistry()), Now: time.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) account() string { return *w.accountID.Load() }

// setAccount replaces the account by an empty one.
func (w *world) setAccount(id string) {
	w.hubspot.clear()
	w.setToken(id, id)
}

// setToken replaces the token by one of an account, whose number is the id.
func (w *world) setToken(token, id string) {
	w.accountID.Store(&token)
	number, _ := strconv.ParseInt(id, 10, 64)
	w.hubspot.portal.Store(number)
}

// start runs a replica until the end of the test.
func (w *world) start(a *Access) *Access {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = a.Run(ctx) }()
	w.t.Cleanup(func() { stop(); <-done })
	return a
}

// replica returns a running replica in a bubble, whose subscription is up.
func (w *world) replica() *Access {
	w.t.Helper()
	a := w.start(w.idle(w.dial()))
	synctest.Wait()
	return a
}

// know asks as the gate does, and fails if the visitor would wait for longer than two seconds.
func (w *world) know(a *Access, s *session.Session, denied bool) *session.CRM {
	w.t.Helper()
	crm, took := w.timed(a, s, denied)
	if took > longestWait {
		w.t.Errorf("a visitor waits for %s", took)
	}
	return crm
}

func (w *world) timed(a *Access, s *session.Session, denied bool) (*session.CRM, time.Duration) {
	began := time.Now()
	known, _ := a.Know(w.t.Context(), s, denied)
	return known, time.Since(began)
}

// knowAll asks for many people at the same time.
func (w *world) knowAll(a *Access, people []*session.Session) []*session.CRM {
	known := make([]*session.CRM, len(people))
	var all sync.WaitGroup
	for i, s := range people {
		all.Go(func() { known[i] = w.know(a, s, false) })
	}
	all.Wait()
	return known
}

// brokenReader fails before it calls HubSpot.
type brokenReader struct {
	Reader
	failure error
}

// Lookup fails while there is a failure.
func (r *brokenReader) Lookup(
	ctx context.Context, emails, properties []string,
) (map[string]crm.LookupResult, error) {
	if r.failure == nil {
		return r.Reader.Lookup(ctx, emails, properties)
	}
	return nil, r.failure
}

// ProbeRead fails.
func (r *brokenReader) ProbeRead(ctx context.Context) error {
	if r.failure == nil {
		return r.Reader.ProbeRead(ctx)
	}
	return r.failure
}

// member adds a contact to the account and returns the session of its person.
func (w *world) member(name, id string, lists ...string) *session.Session {
	email := name + "@example.com"
	w.hubspot.set(email, contact{id: id, properties: map[string]string{"tier": "gold;" + name}, lists: lists})
	return visitor(name)
}

func visitor(name string) *session.Session {
	return &session.Session{User: session.User{
		Issuer: "https://idp.example", Subject: "sub-" + name, Email: name + "@example.com", EmailVerified: true,
	}}
}

// syncBuffer is a log that goroutines share.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends to the log.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// count returns how many lines contain a text.
func (b *syncBuffer) count(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), text)
}

// bubble runs a test with a world in virtual time.
func bubble(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(2 * time.Second) }) // until closed clients have given up dialing
		test(t, newWorld(t))
	})
}
