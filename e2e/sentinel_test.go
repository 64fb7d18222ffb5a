package e2e

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// sentinels are a master, its replica and three sentinels, all with passwords.
type sentinels struct {
	t             *testing.T
	base          int // master, replica, three sentinels
	master        *process
	redis, greets string // passwords
}

func startSentinels(t *testing.T) *sentinels {
	t.Helper()
	need(t, "redis", "redis-server")
	need(t, "sentinel", "redis-sentinel")
	s := &sentinels{t: t, base: freePorts(t, 5), redis: "redis-pw", greets: "sentinel-pw"}
	s.master = startRedis(t, s.base, "--requirepass", s.redis, "--masterauth", s.redis)
	startRedis(t, s.base+1, "--requirepass", s.redis, "--masterauth", s.redis, "--replicaof", "127.0.0.1 "+strconv.Itoa(s.base))
	for i := range 3 {
		config := fmt.Sprintf("port %d\nbind 127.0.0.1\nrequirepass %s\nsentinel sentinel-pass %s\nsentinel monitor site 127.0.0.1 %d 2\nsentinel auth-pass site %s\n"+
			"sentinel down-after-milliseconds site 1000\nsentinel failover-timeout site 5000\n", s.sentinel(i), s.greets, s.greets, s.base, s.redis)
		start(t, "redis-sentinel", write(t, "sentinel.conf", config)).says("+monitor")
	}
	eventually(t, "the sentinels see the replica and each other", func() bool {
		info := s.ask(0, "sentinel", "master", "site")
		return strings.Contains(info, "num-slaves\n1") && strings.Contains(info, "num-other-sentinels\n2")
	})
	return s
}

func (s *sentinels) sentinel(i int) int { return s.base + 2 + i }

func (s *sentinels) ask(i int, args ...string) string {
	s.t.Helper()
	return redisCLI(s.t, s.sentinel(i), append([]string{"--no-auth-warning", "-a", s.greets}, args...)...)
}

func (s *sentinels) store(i int, args ...string) string {
	s.t.Helper()
	return redisCLI(s.t, s.base+i, append([]string{"--no-auth-warning", "-a", s.redis}, args...)...)
}

// rotate gives the sentinels another password and makes everybody greet anew.
func (s *sentinels) rotate(fresh string) {
	s.t.Helper()
	for i := range 3 {
		s.ask(i, "sentinel", "config", "set", "sentinel-pass", fresh)
	}
	for i := range 3 {
		if out := s.ask(i, "acl", "setuser", "default", ">"+fresh, "<"+s.greets); !strings.HasPrefix(out, "OK") {
			s.t.Fatal(out)
		}
	}
	s.greets = fresh
	for i := range 3 {
		s.ask(i, "client", "kill", "type", "normal", "skipme", "yes")
		s.ask(i, "client", "kill", "type", "pubsub")
	}
}

// patience is a visitor who asks again and again, and how long they were told to try again without a break.
type patience struct {
	v             *visitor
	served, again int
	since         time.Time
	longest       time.Duration
}

// ask goes to one replica.
func (p *patience) ask(f *gateways, replica int) {
	got := p.v.openAt(f, replica, "/members/")
	if got.StatusCode != http.StatusOK && got.StatusCode != http.StatusServiceUnavailable {
		f.t.Errorf("signed out: %d to %s", got.StatusCode, got.Header.Get("Location"))
	}
	if got.StatusCode == http.StatusOK {
		p.served++
		p.since = time.Time{}
		return
	}
	if p.again++; p.since.IsZero() {
		p.since = time.Now()
	}
	p.longest = max(p.longest, time.Since(p.since))
}

func TestAFailoverBySentinelSignsNobodyOut(t *testing.T) {
	t.Parallel()
	s := startSentinels(t)
	var urls []string
	for i := range 3 {
		urls = append(urls, fmt.Sprintf("%q", "redis://127.0.0.1:"+strconv.Itoa(s.sentinel(i))))
	}
	secret := write(t, "sentinel-password", s.greets+"\n")
	store := fmt.Sprintf(`{mode: sentinel, master_name: site, urls: [%s], password: %s, sentinel_password: "${file:%s}"}`, strings.Join(urls, ", "), s.redis, secret)
	f := newGateways(t, time.Hour)
	f.join(store, "")
	f.join(store, "  cache_ttl: none\n  outage_grace: none\n") // to this one every session is unknown
	known, unknown := &patience{v: f.login()}, &patience{v: f.login()}
	f.router.pin(1)
	known.ask(f, 0)
	unknown.ask(f, 1)
	s.rotate("another-pw")
	if err := os.WriteFile(secret, []byte(s.greets+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the replica has the sessions", func() bool { return s.store(1, "dbsize") == s.store(0, "dbsize") })
	eventually(t, "the sentinels see each other with the new password", func() bool {
		return strings.Contains(s.ask(0, "sentinel", "ckquorum", "site"), "OK 3")
	})

	var all sync.WaitGroup
	over := make(chan struct{})
	s.master.kill()
	for i, p := range []*patience{known, unknown} {
		all.Go(func() {
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				select {
				case <-over:
					tick.Stop()
					return
				case <-tick.C:
					p.ask(f, i)
				}
			}
		})
	}
	eventually(t, "there is a new master", func() bool { return strings.Contains(s.store(1, "role"), "master") })
	promoted := time.Now()
	eventually(t, "a login is finished", func() bool { return f.canLogIn() })
	took := time.Since(promoted)
	close(over)
	all.Wait()
	if unknown.longest > 10*time.Second {
		t.Errorf("an unknown session was told to try again for %s", unknown.longest)
	}
	if known.again > 0 {
		t.Errorf("a known session was told to try again %d times, for %s", known.again, known.longest)
	}
	t.Logf("known: %d served, %d told to try again; unknown: %d served, %d told to try again, for %s at most; a login %s after the promotion",
		known.served, known.again, unknown.served, unknown.again, unknown.longest, took)
}

// canLogIn tells whether a login can be finished: whether the store takes writes.
func (f *gateways) canLogIn() bool {
	v := f.visitor()
	form := v.open(f.site + "/members/")
	if !strings.HasPrefix(form.Request.URL.String(), f.pool.URL) {
		return false
	}
	got := v.login(form, "alice@example.com")
	return got.StatusCode == http.StatusOK && got.Request.URL.Path == "/members/"
}
