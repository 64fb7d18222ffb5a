package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ailing is several gateways on a Redis that is itself in trouble.
type ailing struct {
	*gateways
	port  int
	store *process
	data  string // its folder
}

func newAiling(t *testing.T, extra ...string) *ailing {
	t.Helper()
	need(t, "redis", "redis-server")
	port, data := freePorts(t, 1), t.TempDir()
	a := &ailing{port: port, data: data}
	a.store = startRedis(t, port, a.arguments(extra...)...)
	a.gateways = newGateways(t, time.Hour)
	for range 2 {
		a.join(single(port), "")
	}
	return a
}

func (a *ailing) arguments(extra ...string) []string {
	return append([]string{"--dir", a.data, "--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-load", "disabled"}, extra...)
}

func (a *ailing) config(name, value string) {
	a.t.Helper()
	if out := redisCLI(a.t, a.port, "config", "set", name, value); !strings.HasPrefix(out, "OK") {
		a.t.Fatalf("config set %s: %s", name, out)
	}
}

// A Redis that answers and takes no writes: whoever is logged in goes on, whether this replica knows them or not; a login waits.
func TestARedisThatTakesNoWritesEndsNoSessionAndSpendsNoCode(t *testing.T) {
	t.Parallel()
	a := newAiling(t, "--save", "3600 1000000", "--min-replicas-max-lag", "10")
	for _, c := range []struct {
		name        string
		break_, fix func()
	}{
		{"out of memory", func() { a.config("maxmemory", "1") }, func() { a.config("maxmemory", "0") }},
		{"cannot save", func() {
			if err := os.RemoveAll(a.data); err != nil { // its working folder: it goes on, and cannot write a snapshot
				a.t.Fatal(err)
			}
			a.config("stop-writes-on-bgsave-error", "yes")
			redisCLI(a.t, a.port, "bgsave")
			eventually(a.t, "the save has failed", func() bool {
				return strings.Contains(redisCLI(a.t, a.port, "info", "persistence"), "rdb_last_bgsave_status:err")
			})
		}, func() { a.config("stop-writes-on-bgsave-error", "no") }},
		{"too few replicas", func() { a.config("min-replicas-to-write", "1") }, func() { a.config("min-replicas-to-write", "0") }},
		{"no master any more", func() { redisCLI(a.t, a.port, "replicaof", "127.0.0.1", "1") }, func() { redisCLI(a.t, a.port, "replicaof", "no", "one") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.gateways.t = t
			p := a.meetTrouble()
			c.break_()
			p.public()
			for range 5 {
				if got := p.page("the known", p.known); got != http.StatusOK {
					t.Errorf("the known: %d", got)
				}
				if got := p.page("the unknown", p.unknown); got != http.StatusOK {
					t.Errorf("the unknown: %d", got)
				}
			}
			p.begin(false)
			eventually(t, "/readyz says so", func() bool {
				got := a.redis(a.replicas[0])
				return !got.OK && strings.Contains(got.Detail, "takes no writes")
			})
			left := p.leave()
			c.fix()
			t.Logf("back after %s", p.recovered(left))
			if n := strings.Count(a.replicas[0].out.String(), "redis refuses writes"); n > 4 {
				t.Errorf("the log reports %d times that Redis refuses writes", n)
			}
			if strings.Contains(a.replicas[0].out.String(), "the subscription to redis is interrupted") {
				t.Error("endings were not heard of, although Redis tells of them")
			}
		})
	}
}

func TestARedisThatLoadsItsDataIsWaitedFor(t *testing.T) {
	t.Parallel()
	a := newAiling(t, "--rdbcompression", "no")
	p := a.meetTrouble()
	for i := range 60 {
		redisCLI(t, a.port, "set", "filler:"+strconv.Itoa(i), strings.Repeat("x", 4000))
	}
	redisCLI(t, a.port, "bgrewriteaof")
	eventually(t, "the data are in one file", func() bool {
		info := redisCLI(t, a.port, "info", "persistence")
		return strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0")
	})
	a.store.kill()
	args := append([]string{"--port", strconv.Itoa(a.port), "--bind", "127.0.0.1", "--save", ""}, a.arguments("--key-load-delay", "50000", "--loading-process-events-interval-bytes", "1024")...)
	start(t, "redis-server", args...)
	eventually(t, "it is loading", func() bool { return strings.Contains(redisCLI(t, a.port, "get", "x"), "LOADING") })
	if got := p.page("the known", p.known); got != http.StatusOK {
		t.Errorf("the known: %d", got)
	}
	if got := p.page("the unknown", p.unknown); got != http.StatusServiceUnavailable {
		t.Errorf("the unknown: %d", got)
	}
	p.public()
	p.begin(false)
	left := p.leave()
	eventually(t, "it has loaded", func() bool { return !strings.Contains(redisCLI(t, a.port, "get", "x"), "LOADING") })
	t.Logf("back after %s", p.recovered(left))
}

// A Redis that lost everything has no sessions: a login, which is silent while the provider's own session lives, makes a new one.
func TestARedisThatLostEverythingMeansALoginAndNoError(t *testing.T) {
	t.Parallel()
	a := newAiling(t)
	lose := map[string]func(){
		"flushed": func() { redisCLI(t, a.port, "flushall") },
		"restarted empty": func() {
			a.store.kill()
			os.RemoveAll(filepath.Join(a.data, "appendonlydir"))
			a.store = startRedis(t, a.port, a.arguments()...)
		},
		"records of another type": func() {
			for _, key := range strings.Fields(redisCLI(t, a.port, "keys", "hubgate:*")) {
				redisCLI(t, a.port, "del", key)
				redisCLI(t, a.port, "lpush", key, "x")
			}
		},
	}
	for name, lost := range lose {
		t.Run(name, func(t *testing.T) {
			a.gateways.t = t
			p := a.meetTrouble()
			lost()
			for who, v := range map[string]*visitor{"the known": p.known, "the unknown": p.unknown} {
				eventually(t, who+" is logged in again", func() bool {
					got := v.open(a.site + "/members/") // through the provider and back
					if got.StatusCode != http.StatusOK && got.StatusCode != http.StatusServiceUnavailable {
						t.Fatalf("%s: %d at %s", who, got.StatusCode, got.Request.URL)
					}
					return got.StatusCode == http.StatusOK
				})
			}
			if got := p.starter.open(p.callback); got.StatusCode != http.StatusOK {
				t.Errorf("a login that was under way: %d", got.StatusCode)
			}
			a.router.pin(1)
			for who, v := range map[string]*visitor{"the known": p.known, "the unknown": p.unknown, "the starter": p.starter} {
				if got := p.page(who, v); got != http.StatusOK {
					t.Errorf("%s at the other replica: %d", who, got)
				}
			}
		})
	}
}
