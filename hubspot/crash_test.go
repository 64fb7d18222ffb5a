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
	"github.com/hubgate/hubgate/internal/realredis"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
)

// durable runs a redis-server that writes every command to its disk before it answers.
func durable(t *testing.T) *realredis.Server {
	t.Helper()
	return realredis.Start(t, "--appendonly", "yes", "--appendfsync", "always")
}

func clientOf(r *realredis.Server) redis.UniversalClient {
	return redis.NewClient(&redis.Options{Addr: r.Addr, MaxRetries: -1, ContextTimeoutEnabled: true, DialerRetries: 1})
}

// realWorld is a world on a real Redis.
func realWorld(t *testing.T, r *realredis.Server, properties map[string]PropertyConfig, options ...option) *world {
	t.Helper()
	w := newWorld(t, properties, options...)
	w.redis = clientOf(r)
	api := httptest.NewServer(w.fake)
	t.Cleanup(func() { w.redis.Close(); api.Close() })
	w.http, w.api.URL, w.cfg.APIURL = nil, api.URL, api.URL
	return w
}

// TestReplicaOfAnotherTest is the process that the tests below kill; by itself it does nothing.
func TestReplicaOfAnotherTest(t *testing.T) {
	addr := os.Getenv("HUBGATE_REPLICA_REDIS")
	if addr == "" {
		t.Skip("it is started by other tests")
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
	c, err := New(cfg, Deps{Queue: client, KeyPrefix: "hubgate:", Ring: ring, Client: &http.Client{Timeout: 5 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Run(t.Context())
}

func crashProperties() map[string]PropertyConfig {
	return map[string]PropertyConfig{
		"firstname": {Claim: "given_name"}, "portal_logins": {Value: "login_count"}, "lead_source": {Constant: "portal", Write: "create_only"},
	}
}

// herd starts replicas as processes and kills them.
type herd struct {
	w    *world
	addr string
	mu   sync.Mutex
	one  *exec.Cmd
	kill atomic.Int64
}

func (h *herd) start() {
	cmd := exec.Command(os.Args[0], "-test.run", "^TestReplicaOfAnotherTest$")
	cmd.Env = append(os.Environ(), "HUBGATE_REPLICA_REDIS="+h.addr, "HUBGATE_REPLICA_API="+h.w.api.URL, "HUBGATE_REPLICA_KEY="+h.w.key)
	if err := cmd.Start(); err != nil {
		h.w.t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.one = cmd
}

func (h *herd) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.one.Process.Kill()
	_ = h.one.Wait()
}

// replace kills the process and starts another one.
func (h *herd) replace() {
	h.end()
	h.kill.Add(1)
	h.w.redis.Del(context.Background(), newKeys("hubgate:").lease) // it ran out
	h.start()
}

func TestAKilledProcessLosesNothingAndRepeatsAtMostOneWrite(t *testing.T) {
	t.Parallel()
	r := durable(t)
	h := &herd{addr: r.Addr}
	var upserts atomic.Int64
	h.w = realWorld(t, r, crashProperties(), func(c *fakehubspot.Config) {
		c.Wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/upsert") {
					next.ServeHTTP(rw, r)
					return
				}
				switch upserts.Add(1) {
				case 1: // killed before HubSpot has it
					h.replace()
				case 2: // killed when HubSpot has it and nobody knows
					next.ServeHTTP(&discard{}, r)
					h.replace()
				case 4: // killed in the call that completes new contacts
					next.ServeHTTP(&discard{}, r)
					h.replace()
				default:
					next.ServeHTTP(rw, r)
				}
			})
		}
	})
	front := h.w.replica()
	for i := range 40 {
		h.w.login(front, person1(fmt.Sprintf("p%d@example.com", i%20)))
	}
	h.start()
	t.Cleanup(h.end)
	h.w.drained(front)
	for i := range 20 {
		c := h.w.contact(fmt.Sprintf("p%d@example.com", i))
		if c["firstname"] != "Ada" || c["portal_logins"] != "2" || c["lead_source"] != "portal" {
			t.Errorf("%v", c)
		}
	}
	for _, c := range h.w.fake.Contacts() {
		if c.Writes > 2+int(h.kill.Load()) {
			t.Errorf("%d writes after %d kills", c.Writes, h.kill.Load())
		}
	}
	if s, err := front.Status(t.Context()); err != nil || s.Dead != 0 || h.kill.Load() != 3 {
		t.Errorf("%+v %v, %d kills", s, err, h.kill.Load())
	}
}

func TestAKilledRedisLosesNothing(t *testing.T) {
	t.Parallel()
	server := durable(t)
	w := realWorld(t, server, crashProperties())
	a, b := w.running(), w.running()
	for i := range 30 {
		w.login(a, person1("p"+strconv.Itoa(i)+"@example.com"))
		if i == 10 || i == 20 {
			server.Kill()
			server.Run()
		}
	}
	w.drained(b)
	if n := len(w.fake.Contacts()); n != 30 {
		t.Errorf("%d contacts", n)
	}
	for _, c := range w.fake.Contacts() {
		if c.Properties["portal_logins"] != "1" || c.Properties["lead_source"] != "portal" {
			t.Errorf("%v", c.Properties)
		}
	}
}

func TestAHolderThatWasStoppedForTooLongWritesNothing(t *testing.T) {
	t.Parallel()
	w := realWorld(t, durable(t), crashProperties())
	r := w.replica()
	w.login(r, person1("ada@example.com"))
	token, err := r.outbox.acquireLease(t.Context(), "old")
	if err != nil || token == "" {
		t.Fatal(token, err)
	}
	messages, err := r.outbox.after(t.Context(), "0", time.Second)
	if err != nil || len(messages) != 1 {
		t.Fatal(messages, err)
	}
	old := leasedOutbox{outbox: r.outbox, token: token}
	w.redis.Del(t.Context(), r.outbox.keys.lease) // it ran out
	next, err := r.outbox.acquireLease(t.Context(), "new")
	if err != nil || next == "" || next == token {
		t.Fatal(next, err)
	}
	j := &job{login: person1("ada@example.com"), ids: []string{messages[0].ID}}
	r.limiter.lease.Store(&token)
	_, budget := r.limiter.acquire(t.Context())
	for name, err := range map[string]error{
		"finish": old.finish(t.Context(), j, map[string]string{"sent": "x"}, nil), "bury": old.finish(t.Context(), j, nil, &deadLetter{}),
		"delay": old.saveState(t.Context(), j), "drop": old.remove(t.Context(), j.ids), "renew": old.renew(t.Context()),
		"flying": old.setInFlight(t.Context(), []*job{j}), "budget": budget,
	} {
		if err != errLeaseLost {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := r.Status(t.Context()); err != nil || s.Queued != 1 || s.Dead != 0 {
		t.Errorf("%+v %v", s, err)
	}
}
