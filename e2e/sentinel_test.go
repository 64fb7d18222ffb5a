package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/testservice"
)

// sentinels are a master, its replica and three sentinels, all with passwords.
type sentinels struct {
	t               *testing.T
	master, replica *redisServer
	nodes           []*redisServer // the sentinels
}

func startSentinels(t *testing.T) *sentinels {
	t.Helper()
	testservice.Need(t, "redis", "redis-server")
	testservice.Need(t, "sentinel", "redis-sentinel")
	const password, sentinelPassword = "redis-pw", "sentinel-pw"
	auth := []string{"--requirepass", password, "--masterauth", password}
	s := &sentinels{t: t, master: startRedis(t, auth...)}
	s.replica = startRedis(t, append(auth, "--replicaof", "127.0.0.1 "+strconv.Itoa(s.master.port))...)
	s.master.password, s.replica.password = password, password
	for range 3 {
		n := &redisServer{t: t, port: freePorts(t, 1), password: sentinelPassword}
		config := fmt.Sprintf("port %d\nbind 127.0.0.1\nrequirepass %s\nsentinel sentinel-pass %[2]s\n"+
			"sentinel monitor site 127.0.0.1 %d 2\nsentinel auth-pass site %s\n"+
			"sentinel down-after-milliseconds site 1000\nsentinel failover-timeout site 5000\n",
			n.port, sentinelPassword, s.master.port, password)
		n.process = start(t, "redis-sentinel", write(t, "sentinel.conf", config))
		n.waitFor("+monitor")
		s.nodes = append(s.nodes, n)
	}
	eventually(t, "the sentinels see the replica and each other", func() bool {
		info := s.nodes[0].cli("sentinel", "master", "site")
		return strings.Contains(info, "num-slaves\n1") && strings.Contains(info, "num-other-sentinels\n2")
	})
	return s
}

// rotate changes the password of the sentinels and closes all connections to them.
func (s *sentinels) rotate(next string) {
	s.t.Helper()
	for _, n := range s.nodes {
		n.cli("sentinel", "config", "set", "sentinel-pass", next)
	}
	for _, n := range s.nodes {
		n.must("acl", "setuser", "default", ">"+next, "<"+n.password)
		n.password = next
	}
	for _, n := range s.nodes {
		n.cli("client", "kill", "type", "normal", "skipme", "yes")
		n.cli("client", "kill", "type", "pubsub")
	}
}

// section returns the section session.redis. The password of the sentinels is in a file.
func (s *sentinels) section(secret string) string {
	var urls []string
	for _, n := range s.nodes {
		urls = append(urls, `"redis://`+local(n.port)+`"`)
	}
	return fmt.Sprintf(`{mode: sentinel, master_name: site, urls: [%s], password: %s, sentinel_password: "${file:%s}"}`,
		strings.Join(urls, ", "), s.master.password, secret)
}

// requester is a visitor who keeps requesting a page from one gateway. It measures the longest time without an answer
// other than 503.
type requester struct {
	v                   *visitor
	served, unavailable int
	since               time.Time
	longest             time.Duration
}

func (r *requester) request(s *site, gateway int) {
	got := r.v.openAt(s, gateway, "/members/")
	if got.StatusCode != http.StatusOK && got.StatusCode != http.StatusServiceUnavailable {
		s.t.Errorf("logged out: %d, Location %s", got.StatusCode, got.Header.Get("Location"))
	}
	if got.StatusCode == http.StatusOK {
		r.served++
		r.since = time.Time{}
		return
	}
	if r.unavailable++; r.since.IsZero() {
		r.since = time.Now()
	}
	r.longest = max(r.longest, time.Since(r.since))
}

// repeat calls once every interval, in a new goroutine, until over is closed.
func repeat(all *sync.WaitGroup, interval time.Duration, over <-chan struct{}, once func()) {
	all.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				once()
			}
		}
	})
}

func TestSentinelFailoverKeepsSessions(t *testing.T) {
	t.Parallel()
	st := startSentinels(t)
	secret := write(t, "sentinel-password", st.nodes[0].password+"\n")
	s := newSite(t, options{provider: cognito, routed: true, redis: st.section(secret)})
	s.serve()
	s.serve(config{"session.cache_ttl": "none", "session.outage_grace": "none"}) // every session is unknown here
	known, unknown := &requester{v: s.member()}, &requester{v: s.member()}
	s.router.pin(1)
	known.request(s, 0)
	unknown.request(s, 1)
	st.rotate("another-pw")
	overwrite(t, secret, "another-pw\n")
	eventually(t, "the replica has the sessions", func() bool {
		return st.replica.cli("dbsize") == st.master.cli("dbsize")
	})
	eventually(t, "the sentinels see each other with the new password", func() bool {
		return strings.Contains(st.nodes[0].cli("sentinel", "ckquorum", "site"), "OK 3")
	})

	var all sync.WaitGroup
	over := make(chan struct{})
	st.master.kill()
	for i, r := range []*requester{known, unknown} {
		repeat(&all, 20*time.Millisecond, over, func() { r.request(s, i) })
	}
	eventually(t, "the replica is promoted", func() bool { return strings.Contains(st.replica.cli("role"), "master") })
	promoted := time.Now()
	eventually(t, "a login succeeds", s.canLogIn)
	took := time.Since(promoted)
	close(over)
	all.Wait()
	if unknown.longest > 10*time.Second {
		t.Errorf("an unknown session got 503 for %s", unknown.longest)
	}
	if known.unavailable > 0 {
		t.Errorf("a known session got 503 %d times, for %s", known.unavailable, known.longest)
	}
	t.Logf("known: %d served, %d times 503; unknown: %d served, %d times 503, for %s at most; "+
		"a login %s after the promotion",
		known.served, known.unavailable, unknown.served, unknown.unavailable, unknown.longest, took)
}
