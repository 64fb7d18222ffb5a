package e2e

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
)

// newPair returns a site with two routed gateways.
func newPair(t *testing.T, redisArgs ...string) *site {
	t.Helper()
	store := startRedis(t, append([]string{"--repl-diskless-load", "disabled"}, redisArgs...)...)
	s := newSite(t, options{provider: cognito, routed: true, redis: store.section()})
	s.redis = store
	s.serve()
	s.serve()
	return s
}

// A Redis that answers but rejects writes ends no session, whether or not this replica knows it. Logins have to wait.
func TestRedisReadOnlyKeepsSessionsAndCodes(t *testing.T) {
	t.Parallel()
	s := newPair(t, "--save", "3600 1000000", "--min-replicas-max-lag", "10")
	set := func(name, value string) func() {
		return func() { s.redis.must("config", "set", name, value) }
	}
	for _, c := range []struct {
		name       string
		cause, fix func()
	}{
		{"out of memory", set("maxmemory", "1"), set("maxmemory", "0")},
		{"cannot save", func() {
			if err := os.RemoveAll(s.redis.folder); err != nil { // without its folder, it cannot write a snapshot
				s.t.Fatal(err)
			}
			s.redis.must("config", "set", "stop-writes-on-bgsave-error", "yes")
			s.redis.cli("bgsave")
			eventually(s.t, "the save fails", func() bool {
				return strings.Contains(s.redis.cli("info", "persistence"), "rdb_last_bgsave_status:err")
			})
		}, set("stop-writes-on-bgsave-error", "no")},
		{"too few replicas", set("min-replicas-to-write", "1"), set("min-replicas-to-write", "0")},
		{"no longer a master", func() { s.redis.cli("replicaof", "127.0.0.1", "1") },
			func() { s.redis.cli("replicaof", "no", "one") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			p := newOutage(s)
			c.cause()
			p.public()
			for range 5 {
				p.wantPage("known session", p.known, http.StatusOK)
				p.wantPage("unknown session", p.unknown, http.StatusOK)
			}
			p.finishLogin(false)
			eventually(t, "/readyz reports it", func() bool {
				got := s.gateways[0].check("redis")
				return !got.OK && strings.Contains(got.Detail, "read-only")
			})
			left := p.logOut()
			c.fix()
			t.Logf("recovered after %s", p.recover(left))
			if n := s.gateways[0].out.count("redis refuses writes"); n > 4 {
				t.Errorf("the log reports %d times that Redis refuses writes", n)
			}
			if s.gateways[0].out.contains("the subscription to redis is interrupted") {
				t.Error("the subscription was interrupted, although Redis still publishes")
			}
		})
	}
}

func TestRedisLoadingIsRetried(t *testing.T) {
	t.Parallel()
	s := newPair(t, "--rdbcompression", "no")
	p := newOutage(s)
	for i := range 60 {
		s.redis.cli("set", "filler:"+strconv.Itoa(i), strings.Repeat("x", 4000))
	}
	s.redis.cli("bgrewriteaof")
	eventually(t, "the data are in one file", func() bool {
		info := s.redis.cli("info", "persistence")
		return strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0")
	})
	loading := func() bool { return strings.Contains(s.redis.cli("get", "x"), "LOADING") }
	s.redis.kill()
	s.redis.launch("--key-load-delay", "50000", "--loading-process-events-interval-bytes", "1024")
	eventually(t, "Redis is loading", loading)
	p.wantPage("known session", p.known, http.StatusOK)
	p.wantPage("unknown session", p.unknown, http.StatusServiceUnavailable)
	p.public()
	p.finishLogin(false)
	left := p.logOut()
	eventually(t, "Redis has loaded", func() bool { return !loading() })
	t.Logf("recovered after %s", p.recover(left))
}

// A Redis that lost everything has no sessions. A login creates a new one, without a form while the provider's own
// session is valid.
func TestRedisDataLossRequiresANewLogin(t *testing.T) {
	t.Parallel()
	s := newPair(t)
	for name, lose := range map[string]func(){
		"flushed": func() { s.redis.cli("flushall") },
		"restarted empty": func() {
			s.redis.kill()
			s.redis.deleteData()
			s.redis.start()
		},
		"records of another type": func() {
			for _, key := range strings.Fields(s.redis.cli("keys", "hubgate:*")) {
				s.redis.cli("del", key)
				s.redis.cli("lpush", key, "x")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			p := newOutage(s)
			lose()
			visitors := map[string]*visitor{"known session": p.known, "unknown session": p.unknown}
			for who, v := range visitors {
				eventually(t, who+": logged in again", func() bool {
					got := v.open(s.url + "/members/") // through the provider and back
					if got.StatusCode != http.StatusOK && got.StatusCode != http.StatusServiceUnavailable {
						t.Fatalf("%s: %d at %s", who, got.StatusCode, got.Request.URL)
					}
					return got.StatusCode == http.StatusOK
				})
			}
			if got := p.starter.open(p.callback); got.StatusCode != http.StatusOK {
				t.Errorf("a login in progress: %d", got.StatusCode)
			}
			s.router.pin(1)
			visitors["new session"] = p.starter
			for who, v := range visitors {
				p.wantPage(who+" at the other replica", v, http.StatusOK)
			}
		})
	}
}
