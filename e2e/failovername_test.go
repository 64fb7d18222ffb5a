package e2e

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hubgate/hubgate/internal/testservice"
)

// movingName is the name of a primary, as ElastiCache has one: after a failover, new connections reach another server,
// and those that exist stay with the old one.
type movingName struct {
	net.Listener
	port atomic.Int64
}

func newMovingName(t *testing.T, port int) *movingName {
	t.Helper()
	n := &movingName{Listener: listen(t, freePorts(t, 1))}
	n.port.Store(int64(port))
	go func() {
		for {
			client, err := n.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", local(int(n.port.Load())))
			if err != nil {
				client.Close()
				continue
			}
			pipe := func(to, from net.Conn) {
				io.Copy(to, from)
				to.Close()
				from.Close()
			}
			go pipe(server, client)
			go pipe(client, server)
		}
	}()
	return n
}

// TestRedisFailoverByName holds what docs/aws.md says about a failover in ElastiCache without cluster mode.
func TestRedisFailoverByName(t *testing.T) {
	t.Parallel()
	testservice.Need(t, "redis", "redis-server")
	old := startRedis(t)
	next := startRedis(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(old.port))
	name := newMovingName(t, old.port)
	s := newSite(t, options{provider: cognito, redis: redisAt(name.Addr().String())})
	g := s.serve()
	v := s.member()
	eventually(t, "the replica has everything", func() bool {
		return strings.TrimSpace(old.cli("wait", "1", "1000")) == "1"
	})

	next.must("replicaof", "no", "one")
	name.port.Store(int64(next.port))
	old.must("replicaof", "127.0.0.1", strconv.Itoa(next.port))
	if got := v.open(s.url + "/members/"); got.StatusCode != http.StatusOK {
		t.Errorf("a known session during the failover: %d", got.StatusCode)
	}
	eventually(t, "visitors can log in", s.canLogIn)
	eventually(t, "Redis is available", func() bool { return g.check("redis").OK })
	if got := v.open(s.url + "/members/"); got.StatusCode != http.StatusOK || !s.shows(got, "/members/") {
		t.Errorf("a session of before the failover ends at %s: %d", got.Request.URL, got.StatusCode)
	}
	if sessions := next.cli("keys", "hubgate:*"); strings.TrimSpace(sessions) == "" {
		t.Error("the new primary has no sessions")
	}
}
