package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/testservice"
)

// startTLSRedis runs a Redis that accepts TLS only. It returns its port and its certificate.
func startTLSRedis(t *testing.T, host string, end time.Time) (port int, certFile string) {
	t.Helper()
	port = freePorts(t, 1)
	certFile, keyFile := selfSigned(t, host, end)
	startRedis(t, "--port", "0", "--tls-port", strconv.Itoa(port), "--tls-cert-file", certFile,
		"--tls-key-file", keyFile, "--tls-ca-cert-file", certFile, "--tls-auth-clients", "no")
	return port, certFile
}

func TestRedisTLSWorksOrReportsTheCause(t *testing.T) {
	t.Parallel()
	testservice.Need(t, "redis", "redis-server")
	goodPort, good := startTLSRedis(t, "localhost", tomorrow())
	namePort, otherName := startTLSRedis(t, "redis.example", tomorrow())
	expiredPort, expired := startTLSRedis(t, "localhost", time.Now().Add(-time.Hour))
	plainPort := startRedis(t).port
	otherCA, _ := selfSigned(t, "another authority", tomorrow())
	s := newSite(t, options{provider: cognito, routed: true, redis: embedded})
	for i, c := range []struct{ name, url, ca, cause, cure string }{
		{"valid", "rediss://" + localhost(goodPort), good, "version 7", ""},
		{"another authority", "rediss://" + localhost(goodPort), otherCA,
			"certificate signed by unknown authority", "ca_file"},
		{"another name", "rediss://" + localhost(namePort), otherName,
			"certificate is valid for redis.example, not localhost", "a name that is in the certificate"},
		{"expired", "rediss://" + localhost(expiredPort), expired, "expired", "renew"},
		{"server without TLS", "rediss://" + localhost(plainPort), good, "", "redis://"},
		{"server with TLS", "redis://" + localhost(goodPort), "", "", "rediss://"},
		{"unknown host", "redis://redis.invalid:6379", "", "redis.invalid", "session.redis.urls"},
	} {
		g := s.serve(config{"session.redis": fmt.Sprintf(`{urls: [%q], ca_file: %q}`, c.url, c.ca)})
		if got := g.checkRedis(); !strings.Contains(got, c.cause) || !strings.Contains(got, c.cure) {
			t.Errorf("%s: check --live prints %s", c.name, got)
		}
		s.router.pin(i)
		if c.name == "valid" {
			s.member()
			continue
		}
		g.waitFor(`the subscription to redis is interrupted`) // with its cause, before any page needs Redis
		if !g.out.contains(c.cause) {
			t.Errorf("%s: the log does not have the cause", c.name)
		}
		if got := s.visitor().open(s.url + "/pricing"); got.StatusCode != http.StatusOK {
			t.Errorf("%s: a public page: %d", c.name, got.StatusCode)
		}
	}
	last := len(s.gateways) - 1 // with the unknown host: a visitor sees the same as in any other outage
	s.router.pin(0)
	v := s.member()
	s.router.pin(last)
	p := &outage{s: s, unknown: v}
	eventually(t, "/readyz reports the outage", func() bool {
		p.open("unknown session", v)
		return !s.gateways[last].check("redis").OK
	})
	p.wantPage("unknown session", v, http.StatusServiceUnavailable)
}

// documentedUser returns the ACL rule of docs/operations.md with a password.
func documentedUser(t *testing.T, password string) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\nACL SETUSER hubgate ")
	if !found {
		t.Fatal("docs/operations.md has no ACL rule")
	}
	rule, _, _ := strings.Cut(rest, "\n")
	rule = strings.ReplaceAll(rule, "PASSWORD", password)
	return append([]string{"acl", "setuser", "hubgate"}, strings.Fields(rule)...)
}

// asUser returns the section session.redis for the documented user.
func (r *redisServer) asUser(password string) string {
	return fmt.Sprintf(`{urls: ["redis://%s/0"], username: hubgate, password: "%s"}`, local(r.port), password)
}

func TestRedisDocumentedUserSuffices(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	store.cli("config", "set", "acllog-max-len", "100")
	store.must(documentedUser(t, "first")...)
	s := newSite(t, options{provider: cognito, routed: true, redis: store.asUser("first"),
		config: config{"session.idle_timeout": "10s"}})
	g := s.serve()
	s.usesEveryFeature()
	if log := strings.TrimSpace(store.cli("acl", "log")); log != "" {
		t.Errorf("Redis rejected:\n%s", log)
	}
	if got := g.check("redis"); !got.OK || !strings.Contains(got.Detail, "version 7") {
		t.Errorf("/readyz: %+v", got)
	}
	if got := g.checkRedis(); !strings.Contains(got, "version 7") {
		t.Errorf("check --live: %s", got)
	}
	store.cli("acl", "setuser", "hubgate", "resetkeys", "~other:*")
	if got := g.checkRedis(); !strings.Contains(got, "permissions in docs/operations.md") {
		t.Errorf("check --live for a user of another prefix: %s", got)
	}
}

func TestRedisKeyPrefixesSeparateGateways(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{provider: cognito, routed: true})
	s.serve(config{"session.redis.key_prefix": `"one:"`})
	other := s.serve(config{"session.redis.key_prefix": `"two:"`})
	s.router.pin(0)
	v := s.member()
	if got := other.must("sessions", "list"); strings.Contains(got, "alice@example.com") {
		t.Errorf("the other gateway lists:\n%s", got)
	}
	status, out := other.command("sessions", "end", "--user", "alice@example.com")
	if status == 0 || !strings.Contains(out, "no session for this e-mail address") {
		t.Errorf("the other gateway knows the user: %d %s", status, out)
	}
	if !s.served(v) {
		t.Error("the other gateway ended the session")
	}
	s.router.pin(1)
	v.client.CheckRedirect = stay
	if got := v.open(s.url + "/members/"); got.StatusCode != http.StatusFound {
		t.Errorf("the other gateway accepts the session: %d", got.StatusCode)
	}
	for _, key := range strings.Fields(s.redis.cli("keys", "*")) {
		if !strings.HasPrefix(key, "one:") && !strings.HasPrefix(key, "two:") {
			t.Errorf("the key %s has no prefix", key)
		}
	}
}

func TestRedisPasswordRotationKeepsSessions(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	setUser := func(rules ...string) { store.must(append([]string{"acl", "setuser", "hubgate"}, rules...)...) }
	store.must(documentedUser(t, "pw0")...)
	secret := write(t, "redis-password", "pw0\n")
	s := newSite(t, options{provider: cognito, routed: true, redis: store.asUser("${file:" + secret + "}"),
		config: config{"session.cache_ttl": "none", "session.outage_grace": "none"}})
	s.serve()
	v := s.member()
	for i := 1; i <= 3; i++ { // in order: Redis accepts both, the file changes, Redis forgets the old one
		next := "pw" + strconv.Itoa(i)
		setUser(">" + next)
		overwrite(t, secret, next+"\n")
		setUser("<pw" + strconv.Itoa(i-1))
		store.cli("client", "kill", "user", "hubgate")
		failed := 0
		for range 30 {
			if !s.served(v) {
				failed++
			}
		}
		if failed > 3 {
			t.Errorf("rotation %d: %d of 30 requests got 503", i, failed)
		}
	}
	setUser("resetpass", ">late") // in the wrong order: the file changes last
	store.cli("client", "kill", "user", "hubgate")
	eventually(t, "the old password is rejected", func() bool { return !s.served(v) })
	overwrite(t, secret, "late\n")
	began := time.Now()
	eventually(t, "the file is read again", func() bool { return s.served(v) })
	t.Logf("served %s after the file was written", time.Since(began))
	s.member()
}

// oldRedis answers as Redis 5 does, which knows neither HELLO nor users.
func oldRedis(t *testing.T) (port int) {
	t.Helper()
	port = freePorts(t, 1)
	accept(listen(t, port), answerAsRedis5)
	return port
}

func answerAsRedis5(conn net.Conn) {
	defer conn.Close()
	info := "# Server\r\nredis_version:5.0.14\r\n"
	for r := bufio.NewReader(conn); ; {
		command, err := readCommand(r)
		if err != nil {
			return
		}
		switch strings.ToLower(command[0]) {
		case "ping":
			io.WriteString(conn, "+PONG\r\n")
		case "info":
			fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(info), info)
		case "subscribe":
			fmt.Fprintf(conn, "*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:1\r\n", len(command[1]), command[1])
		case "config":
			io.WriteString(conn, "*0\r\n")
		default:
			fmt.Fprintf(conn, "-ERR unknown command `%s`, with args beginning with: \r\n", command[0])
		}
	}
}

// readCommand reads a command in Redis' protocol.
func readCommand(r *bufio.Reader) (words []string, err error) {
	var n, size int
	if _, err := fmt.Fscanf(r, "*%d\r\n", &n); err != nil {
		return nil, err
	}
	for range n {
		if _, err := fmt.Fscanf(r, "$%d\r\n", &size); err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(r, word); err != nil {
			return nil, err
		}
		words = append(words, string(word[:size]))
	}
	return words, nil
}

func TestRedisTooOldIsReported(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{provider: cognito, routed: true, redis: redisAt(local(oldRedis(t)))})
	g := s.serve()
	g.waitFor("redis is too old: hubgate needs 6.2 or newer")
	eventually(t, "/readyz reports the version", func() bool { // once its own probe has run
		got := g.check("redis")
		return !got.OK && strings.Contains(got.Detail, "5.0.14")
	})
	got := g.checkRedis()
	if !strings.Contains(got, "5.0.14") || !strings.Contains(got, "use Redis 6.2 or newer") {
		t.Errorf("check --live: %s", got)
	}
}
