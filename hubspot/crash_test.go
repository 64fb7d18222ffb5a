package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/lease"
	"github.com/hubgate/hubgate/internal/realredis"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
)

// startDurableRedis starts a redis-server that syncs every command to disk before it answers.
func startDurableRedis(t *testing.T) *realredis.Server {
	t.Helper()
	return realredis.Start(t, "--appendonly", "yes", "--appendfsync", "always")
}

func newClient(r *realredis.Server) redis.UniversalClient {
	return redis.NewClient(&redis.Options{Addr: r.Addr, MaxRetries: -1, ContextTimeoutEnabled: true, DialerRetries: 1})
}

// newRealEnv returns an env with a real Redis.
func newRealEnv(t *testing.T, r *realredis.Server, properties map[string]mapping.Property, options ...option) *env {
	t.Helper()
	e := newEnv(t, properties, options...)
	e.redis = newClient(r)
	api := httptest.NewServer(e.fake)
	t.Cleanup(func() { e.redis.Close(); api.Close() })
	e.http, e.api.URL, e.cfg.APIURL = nil, api.URL, api.URL
	return e
}

// TestReplicaProcess is the process that the tests below kill. On its own it does nothing.
func TestReplicaProcess(t *testing.T) {
	addr := os.Getenv("HUBGATE_REPLICA_REDIS")
	if addr == "" {
		t.Skip("started by other tests")
	}
	cfg := DefaultConfig()
	cfg.APIURL, cfg.AccessToken = os.Getenv("HUBGATE_REPLICA_API"), "x"
	cfg.Contacts.Properties = crashProperties()
	cfg.Contacts.MinInterval = setting.Duration(0)
	ring, err := seal.New(os.Getenv("HUBGATE_REPLICA_KEY"))
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true})
	c, err := New(cfg, Deps{Queue: client, KeyPrefix: "hubgate:", Ring: ring,
		Client: &http.Client{Timeout: 5 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Run(t.Context())
}

func crashProperties() map[string]mapping.Property {
	return map[string]mapping.Property{
		"firstname": {Claim: "given_name"}, "portal_logins": {Value: "login_count"},
		"lead_source": {Constant: "portal", Write: "create_only"},
	}
}

// processes starts a replica as a process, and kills it.
type processes struct {
	env   *env
	addr  string
	mu    sync.Mutex
	cmd   *exec.Cmd
	kills atomic.Int64
}

func (h *processes) start() {
	cmd := exec.Command(os.Args[0], "-test.run", "^TestReplicaProcess$")
	cmd.Env = append(os.Environ(), "HUBGATE_REPLICA_REDIS="+h.addr, "HUBGATE_REPLICA_API="+h.env.api.URL,
		"HUBGATE_REPLICA_KEY="+h.env.key)
	if err := cmd.Start(); err != nil {
		h.env.t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cmd = cmd
}

func (h *processes) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.cmd.Process.Kill()
	_ = h.cmd.Wait()
}

// restart kills the process and starts another one.
func (h *processes) restart() {
	h.stop()
	h.kills.Add(1)
	h.env.redis.Del(context.Background(), "hubgate:{crm}:lease") // as if expired
	h.start()
}

func TestKilledReplicaLosesNothing(t *testing.T) {
	t.Parallel()
	r := startDurableRedis(t)
	h := &processes{addr: r.Addr}
	var upserts atomic.Int64
	h.env = newRealEnv(t, r, crashProperties(), func(c *fakehubspot.Config) {
		c.Wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/upsert") {
					next.ServeHTTP(rw, r)
					return
				}
				switch upserts.Add(1) {
				case 1: // killed before the write
					h.restart()
				case 2: // killed after the write
					next.ServeHTTP(&discard{}, r)
					h.restart()
				case 3: // and once more
					next.ServeHTTP(&discard{}, r)
					h.restart()
				default:
					next.ServeHTTP(rw, r)
				}
			})
		}
	})
	front := h.env.replica()
	for i := range 40 {
		h.env.enqueue(front, testLogin(fmt.Sprintf("p%d@example.com", i%20)))
	}
	h.start()
	t.Cleanup(h.stop)
	h.env.waitDrained(front)
	for i := range 20 {
		c := h.env.contact(fmt.Sprintf("p%d@example.com", i))
		if c["firstname"] != "Ada" || c["portal_logins"] != "2" || c["lead_source"] != "portal" {
			t.Errorf("%v", c)
		}
	}
	for _, c := range h.env.fake.Contacts() {
		if c.Writes > 2+int(h.kills.Load()) {
			t.Errorf("%d writes after %d kills", c.Writes, h.kills.Load())
		}
	}
	if s, err := front.Status(t.Context()); err != nil || s.Dead != 0 || h.kills.Load() != 3 {
		t.Errorf("%+v %v, %d kills", s, err, h.kills.Load())
	}
}

func TestKilledRedisLosesNothing(t *testing.T) {
	t.Parallel()
	server := startDurableRedis(t)
	e := newRealEnv(t, server, crashProperties())
	a, b := e.startReplica(), e.startReplica()
	for i := range 30 {
		e.enqueue(a, testLogin("p"+strconv.Itoa(i)+"@example.com"))
		if i == 10 || i == 20 {
			server.Kill()
			server.Run()
		}
	}
	e.waitDrained(b)
	if n := len(e.fake.Contacts()); n != 30 {
		t.Errorf("%d contacts", n)
	}
	for _, c := range e.fake.Contacts() {
		if c.Properties["portal_logins"] != "1" || c.Properties["lead_source"] != "portal" {
			t.Errorf("%v", c.Properties)
		}
	}
}

func TestExpiredLeaseWritesNothing(t *testing.T) {
	t.Parallel()
	e := newRealEnv(t, startDurableRedis(t), crashProperties())
	r := e.replica()
	e.enqueue(r, testLogin("ada@example.com"))
	old, acquired, err := r.outbox.AcquireLease(t.Context(), "old")
	if err != nil || !acquired {
		t.Fatal(acquired, err)
	}
	entries, err := r.outbox.After(t.Context(), "0", time.Second)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	e.redis.Del(t.Context(), "hubgate:{crm}:lease") // as if expired
	next, acquired, err := r.outbox.AcquireLease(t.Context(), "new")
	if err != nil || !acquired || next == old {
		t.Fatal(acquired, err)
	}
	j := &outbox.Job{Login: testLogin("ada@example.com"), IDs: []string{entries[0].ID}}
	r.limits.RequireLease(old.Lease())
	_, call := r.limits.Sync.Acquire(t.Context())
	for name, err := range map[string]error{
		"finish":      old.Finish(t.Context(), j, &outbox.Person{Sent: "x"}),
		"dead letter": old.MoveToDeadLetters(t.Context(), j, "x", nil),
		"saveState":   old.SaveState(t.Context(), j),
		"remove":      old.Remove(t.Context(), j.IDs),
		"renew":       old.Renew(t.Context()),
		"setInFlight": old.SetInFlight(t.Context(), []*outbox.Job{j}),
		"acquire":     call,
	} {
		if err != lease.ErrLost {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := r.Status(t.Context()); err != nil || s.Queued != 1 || s.Dead != 0 {
		t.Errorf("%+v %v", s, err)
	}
}
