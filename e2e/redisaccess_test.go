package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// checkLive runs check --live and returns what it says from Redis on, cures included.
func checkLive(t *testing.T, config string) string {
	t.Helper()
	out, _ := exec.CommandContext(t.Context(), binary, "check", "--live", "--config", config).Output() // the other parts are away
	_, rest, found := strings.Cut(string(out), "  redis  ")
	if !found {
		t.Fatalf("check --live says nothing of redis:\n%s", out)
	}
	return rest
}

func TestTLSToRedisWorksOrSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	need(t, "redis", "redis-server")
	folder := t.TempDir()
	ca, _ := selfSigned(t, t.TempDir(), "another authority")
	ports := freePorts(t, 4)
	serverOn := func(port int, host string, end time.Time) (certFile string) {
		cert, key := makeCertificateUntil(t, host, end)
		certFile, keyFile := filepath.Join(folder, host+strconv.Itoa(port)+".pem"), filepath.Join(folder, host+strconv.Itoa(port)+".key")
		for path, text := range map[string][]byte{certFile: cert, keyFile: key} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		startRedis(t, 0, "--tls-port", strconv.Itoa(port), "--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", certFile, "--tls-auth-clients", "no")
		return certFile
	}
	tomorrow := time.Now().Add(24 * time.Hour)
	good := serverOn(ports, "localhost", tomorrow)
	otherName := serverOn(ports+1, "redis.example", tomorrow)
	expired := serverOn(ports+2, "localhost", time.Now().Add(-time.Hour))
	startRedis(t, ports+3)
	f := newGateways(t, time.Hour)
	for i, c := range []struct{ name, url, ca, says, cure string }{
		{"fine", fmt.Sprintf("rediss://localhost:%d", ports), good, "version 7", ""},
		{"another authority", fmt.Sprintf("rediss://localhost:%d", ports), ca, "certificate signed by unknown authority", "ca_file"},
		{"another name", fmt.Sprintf("rediss://localhost:%d", ports+1), otherName, "certificate is valid for redis.example, not localhost", "a name that the certificate has"},
		{"expired", fmt.Sprintf("rediss://localhost:%d", ports+2), expired, "expired", "renew"},
		{"no TLS there", fmt.Sprintf("rediss://localhost:%d", ports+3), good, "", "redis://"},
		{"TLS there", fmt.Sprintf("redis://localhost:%d", ports), "", "", "rediss://"},
		{"no such name", "redis://redis.invalid:6379", "", "redis.invalid", "session.redis.urls"},
	} {
		store := fmt.Sprintf(`{urls: [%q], ca_file: %q}`, c.url, c.ca)
		r := f.join(store, "")
		if got := checkLive(t, r.config); !strings.Contains(got, c.says) || !strings.Contains(got, c.cure) {
			t.Errorf("%s: check --live says %s", c.name, got)
		}
		f.router.pin(i)
		if c.name == "fine" {
			f.login()
			continue
		}
		r.says(`the subscription to redis is interrupted`) // with the cause, although nobody has asked for a page yet
		if !strings.Contains(r.out.String(), c.says) {
			t.Errorf("%s: the log does not say why", c.name)
		}
		if got := f.visitor().open(f.site + "/pricing"); got.StatusCode != http.StatusOK {
			t.Errorf("%s: a public page: %d", c.name, got.StatusCode)
		}
	}
	last := len(f.replicas) - 1 // whose Redis has no address: the whole table holds there, too
	f.router.pin(0)
	v := f.login()
	f.router.pin(last)
	p := &troubled{f: f, unknown: v}
	eventually(t, "/readyz says so", func() bool { p.page("the unknown", v); return !f.redis(f.replicas[last]).OK })
	if got := p.page("the unknown", v); got != http.StatusServiceUnavailable {
		t.Errorf("without a name for Redis: %d", got)
	}
}

// documentedUser is the rule of docs/operations.md, with a password.
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
	return append([]string{"acl", "setuser", "hubgate"}, strings.Fields(strings.ReplaceAll(rule, "PASSWORD", password))...)
}

func TestTheDocumentedUserOfRedisSufficesForEverything(t *testing.T) {
	t.Parallel()
	port := freePorts(t, 1)
	startRedis(t, port)
	redisCLI(t, port, "config", "set", "acllog-max-len", "100")
	if out := redisCLI(t, port, documentedUser(t, "first")...); !strings.HasPrefix(out, "OK") {
		t.Fatal(out)
	}
	f := newGateways(t, time.Hour)
	f.join(fmt.Sprintf(`{urls: ["redis://127.0.0.1:%d/0"], username: hubgate, password: first}`, port), "  idle_timeout: 10s\n")
	f.everything()
	if log := strings.TrimSpace(redisCLI(t, port, "acl", "log")); log != "" {
		t.Errorf("refused was:\n%s", log)
	}
	if got := f.redis(f.replicas[0]); !got.OK || !strings.Contains(got.Detail, "version 7") {
		t.Errorf("/readyz: %+v", got)
	}
	if got := checkLive(t, f.replicas[0].config); !strings.Contains(got, "version 7") {
		t.Errorf("check --live: %s", got)
	}
	redisCLI(t, port, "acl", "setuser", "hubgate", "resetkeys", "~other:*")
	if got := checkLive(t, f.replicas[0].config); !strings.Contains(got, "permissions in docs/operations.md") {
		t.Errorf("check --live for a user of another prefix: %s", got)
	}
}

func TestTwoGatewaysWithDifferentPrefixesDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	port := freePorts(t, 1)
	startRedis(t, port)
	f := newGateways(t, time.Hour)
	for _, prefix := range []string{"one:", "two:"} {
		f.join(fmt.Sprintf(`{urls: ["redis://127.0.0.1:%d/0"], key_prefix: %q}`, port, prefix), "")
	}
	f.router.pin(0)
	v := f.login()
	f.replicas[0], f.replicas[1] = f.replicas[1], f.replicas[0]
	if got := f.command("sessions", "list"); strings.Contains(got, "alice@example.com") {
		t.Errorf("the other lists:\n%s", got)
	}
	out, err := exec.CommandContext(t.Context(), binary, "sessions", "end", "--user", "alice@example.com", "--config", f.replicas[0].config).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no session of this e-mail") {
		t.Errorf("the other knows the user: %v %s", err, out)
	}
	if !f.served(v) {
		t.Error("the other ended the session")
	}
	f.router.pin(1)
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if got := v.open(f.site + "/members/"); got.StatusCode != http.StatusFound {
		t.Errorf("the other takes the session: %d", got.StatusCode)
	}
	for _, key := range strings.Fields(redisCLI(t, port, "keys", "*")) {
		if !strings.HasPrefix(key, "one:") && !strings.HasPrefix(key, "two:") {
			t.Errorf("the key %s has no prefix", key)
		}
	}
}

func TestARedisPasswordThatRotatesUnderLoadSignsNobodyOut(t *testing.T) {
	t.Parallel()
	port := freePorts(t, 1)
	startRedis(t, port)
	setUser := func(rules ...string) {
		if out := redisCLI(t, port, append([]string{"acl", "setuser", "hubgate"}, rules...)...); !strings.HasPrefix(out, "OK") {
			t.Fatal(out)
		}
	}
	redisCLI(t, port, documentedUser(t, "pw0")...)
	secret := write(t, "redis-password", "pw0\n")
	f := newGateways(t, time.Hour)
	f.join(fmt.Sprintf(`{urls: ["redis://127.0.0.1:%d/0"], username: hubgate, password: "${file:%s}"}`, port, secret), "  cache_ttl: none\n  outage_grace: none\n")
	v := f.login()
	// in order: Redis takes both, the file changes, Redis forgets the old one
	for i := 1; i <= 3; i++ {
		fresh := "pw" + strconv.Itoa(i)
		setUser(">" + fresh)
		if err := os.WriteFile(secret, []byte(fresh+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		setUser("<pw" + strconv.Itoa(i-1))
		redisCLI(t, port, "client", "kill", "user", "hubgate")
		failed := 0
		for range 30 {
			if !f.served(v) {
				failed++
			}
		}
		if failed > 3 {
			t.Errorf("rotation %d: %d of 30 requests were told to try again", i, failed)
		}
	}
	// the wrong way round: the file is late
	setUser("resetpass", ">late")
	redisCLI(t, port, "client", "kill", "user", "hubgate")
	eventually(t, "nobody gets in with the old password", func() bool { return !f.served(v) })
	if err := os.WriteFile(secret, []byte("late\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	eventually(t, "the file is read again", func() bool { return f.served(v) })
	t.Logf("served %s after the file was written", time.Since(began))
	f.login()
}

// oldRedis answers as Redis 5 does, which knows neither HELLO nor users.
func oldRedis(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go talk(conn)
		}
	}()
	return l.Addr().String()
}

func talk(conn net.Conn) {
	defer conn.Close()
	info := "# Server\r\nredis_version:5.0.14\r\n"
	r := bufio.NewReader(conn)
	for {
		var n int
		if _, err := fmt.Fscanf(r, "*%d\r\n", &n); err != nil {
			return
		}
		var words []string
		for range n {
			var size int
			if _, err := fmt.Fscanf(r, "$%d\r\n", &size); err != nil {
				return
			}
			word := make([]byte, size+2)
			if _, err := io.ReadFull(r, word); err != nil {
				return
			}
			words = append(words, string(word[:size]))
		}
		switch strings.ToLower(words[0]) {
		case "ping":
			io.WriteString(conn, "+PONG\r\n")
		case "info":
			fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(info), info)
		case "subscribe":
			fmt.Fprintf(conn, "*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:1\r\n", len(words[1]), words[1])
		case "config":
			io.WriteString(conn, "*0\r\n")
		default:
			fmt.Fprintf(conn, "-ERR unknown command `%s`, with args beginning with: \r\n", words[0])
		}
	}
}

func TestARedisThatIsTooOldIsNamedEverywhere(t *testing.T) {
	t.Parallel()
	f := newGateways(t, time.Hour)
	r := f.join(fmt.Sprintf(`{urls: ["redis://%s/0"]}`, oldRedis(t)), "")
	r.says("redis is too old: hubgate needs 6.2 or newer")
	if got := f.redis(r); got.OK || !strings.Contains(got.Detail, "5.0.14") {
		t.Errorf("/readyz says %+v", got)
	}
	if got := checkLive(t, r.config); !strings.Contains(got, "5.0.14") || !strings.Contains(got, "use Redis 6.2 or newer") {
		t.Errorf("check --live says %s", got)
	}
}
