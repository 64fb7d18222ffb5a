package e2e

import (
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// stepKiller is a TCP proxy between a gateway and Redis that kills the gateway instead of forwarding one of its
// requests.
type stepKiller struct {
	address string
	mu      sync.Mutex
	left    int // requests until the kill; 0 = none
	kill    func()
}

func newStepKiller(t *testing.T, target string) *stepKiller {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &stepKiller{address: l.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			all.Go(func() { k.forward(client, server) })
			all.Go(func() {
				_, _ = io.Copy(client, server)
				client.Close()
			})
		}
	})
	t.Cleanup(func() { l.Close() })
	return k
}

// forward forwards the requests of a connection.
func (k *stepKiller) forward(client, server net.Conn) {
	defer server.Close()
	chunk := make([]byte, 64<<10)
	for {
		n, err := client.Read(chunk)
		if err != nil || k.step() {
			return
		}
		if _, err := server.Write(chunk[:n]); err != nil {
			return
		}
	}
}

// step counts a request and kills the gateway if it is the one.
func (k *stepKiller) step() (killed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left == 0 {
		return false
	}
	if k.left--; k.left > 0 {
		return false
	}
	k.kill()
	return true
}

// arm makes the n-th request from now on kill the gateway. disarm reports whether it did.
func (k *stepKiller) arm(n int, kill func()) (disarm func() (killed bool)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.left, k.kill = n, kill
	return func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		killed := k.left == 0
		k.left = 0
		return killed
	}
}

// redisState is the content of a Redis, to be restored.
type redisState map[string]struct {
	dump string
	ttl  time.Duration
}

// saveRedis copies everything but the locks.
func saveRedis(t *testing.T, rdb *redis.Client) redisState {
	t.Helper()
	state := redisState{}
	for _, key := range rdb.Keys(t.Context(), "*").Val() {
		if strings.HasSuffix(key, ":lease") {
			continue
		}
		saved := state[key]
		saved.dump, saved.ttl = rdb.Dump(t.Context(), key).Val(), max(0, rdb.PTTL(t.Context(), key).Val())
		state[key] = saved
	}
	return state
}

func (s redisState) restore(t *testing.T, rdb *redis.Client) {
	t.Helper()
	pipe := rdb.Pipeline()
	pipe.FlushAll(t.Context())
	for key, saved := range s {
		pipe.Restore(t.Context(), key, saved.ttl, saved.dump)
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// forgetSite is a gateway that holds everything about one person: two sessions, a dead letter, a delayed entry, a
// record, and the last login.
type forgetSite struct {
	*site
	g      *gateway
	rdb    *redis.Client
	killer *stepKiller
	state  redisState
	cookie string // of a session
}

func newForgetSite(t *testing.T) *forgetSite {
	t.Helper()
	server := startRedis(t)
	killer := newStepKiller(t, local(server.port))
	s := &forgetSite{
		site: newSite(t, options{redis: redisAt(killer.address)}), killer: killer,
		rdb: redis.NewClient(&redis.Options{Addr: local(server.port)}),
	}
	t.Cleanup(func() { s.rdb.Close() })
	s.g = s.serve()
	s.crm.answerAll(http.StatusBadRequest)
	s.login(newVisitor(t), "/members/")
	eventually(t, "the first login is a dead letter", func() bool {
		return s.rdb.XLen(t.Context(), "hubgate:{crm}:dead").Val() == 1
	})
	s.crm.answerAll(http.StatusServiceUnavailable)
	v := newVisitor(t)
	s.login(v, "/members/")
	for _, c := range v.client.Jar.Cookies(v.open(s.url + "/members/").Request.URL) {
		s.cookie += c.Name + "=" + c.Value + "; "
	}
	eventually(t, "the second login waits for a retry", func() bool {
		_, text := s.g.api(http.MethodGet, "/api/contacts/queue", "")
		return strings.Contains(text, "503 ")
	})
	s.g.kill()
	s.state = saveRedis(t, s.rdb)
	return s
}

// forgetUntil restores everything, and has the person forgotten by a gateway that is killed at its n-th request to
// Redis. It reports whether that happened before it was done.
func (s *forgetSite) forgetUntil(n int) (killed bool) {
	s.t.Helper()
	s.state.restore(s.t, s.rdb)
	s.g.start()
	if status := s.get("/members/", http.Header{"Cookie": {s.cookie}}).StatusCode; status != http.StatusOK {
		s.t.Fatalf("the session is not restored: %d", status)
	}
	disarm := s.killer.arm(n, func() { s.g.kill() })
	status, out := s.g.command("contacts", "forget", email)
	// A request of the contact worker can come between the end of the command and that of the killer.
	if killed = disarm(); !killed && status != 0 {
		s.t.Errorf("not killed, exit status %d\n%s", status, out)
	}
	return killed
}

// checkForgotten reports what is left of the person. The list of a user's sessions, whose name is a MAC, may still have
// the random name of an ended session; it is emptied when it is read, and expires with the session.
func (s *forgetSite) checkForgotten(n int) {
	s.t.Helper()
	if status := s.get("/members/", http.Header{"Cookie": {s.cookie}}).StatusCode; status == http.StatusOK {
		s.t.Errorf("killed at request %d: the session works", n)
	}
	for _, stream := range []string{"stream", "dead"} {
		if left := s.rdb.XLen(s.t.Context(), "hubgate:{crm}:"+stream).Val(); left != 0 {
			s.t.Errorf("killed at request %d: %d entries in %s", n, left, stream)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.state)) {
		for _, kind := range []string{"{crm}:p:", "{crm}:e:", "{crm}:l:", "s:{", "sum:{", "m:{"} {
			if strings.HasPrefix(key, "hubgate:"+kind) && s.rdb.Exists(s.t.Context(), key).Val() != 0 {
				s.t.Errorf("killed at request %d: %s is left", n, key)
			}
		}
	}
}

// TestForgetSurvivesKills kills the gateway at each of its requests to Redis while it forgets a person, and repeats the
// command.
func TestForgetSurvivesKills(t *testing.T) {
	t.Parallel()
	s := newForgetSite(t)
	n := 1
	for ; s.forgetUntil(n); n++ {
		s.g.start()
		s.g.must("contacts", "forget", email)
		s.checkForgotten(n)
		if t.Failed() {
			return
		}
		s.g.kill()
	}
	if n < 10 {
		t.Errorf("only %d requests to Redis", n)
	}
	s.checkForgotten(n)
	s.crm.answerAll(http.StatusOK)
	s.login(newVisitor(t), "/members/")
	s.g.must("contacts", "send", "other@example.com", "--create")
	eventually(t, "another contact is in the CRM", func() bool { return s.crm.contact("other@example.com") != nil })
	if c := s.crm.contact(email); c != nil {
		t.Errorf("a forgotten person is a contact again: %v", c)
	}
	s.g.must("contacts", "forget", email, "--allow")
	s.login(newVisitor(t), "/members/")
	eventually(t, "the contact is in the CRM", func() bool { return s.crm.contact(email) != nil })
}
