package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/testservice"
)

// embedded is a section session.redis without a server.
const embedded = "{mode: embedded}"

// redisServer is a redis-server of the test. It writes every change to the disk, as docs/operations.md recommends.
type redisServer struct {
	*process
	t        *testing.T
	port     int
	folder   string
	args     []string
	password string // for cli; "" without one
}

// startRedis runs a redis-server. Extra arguments are its configuration.
func startRedis(t *testing.T, extra ...string) *redisServer {
	t.Helper()
	r := &redisServer{t: t, port: freePorts(t, 1), folder: t.TempDir()}
	r.args = append([]string{"--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--dir", r.folder, "--save", "",
		"--appendonly", "yes", "--appendfsync", "always"}, extra...)
	r.start()
	return r
}

// start starts the server, or starts it again with the data that it had.
func (r *redisServer) start() {
	r.t.Helper()
	r.launch()
	r.waitFor("Ready to accept connections")
}

// launch is start without waiting.
func (r *redisServer) launch(extra ...string) {
	r.t.Helper()
	testservice.Need(r.t, "redis", "redis-server")
	r.process = start(r.t, "redis-server", append(r.args, extra...)...)
}

// deleteData removes the data of a server that does not run.
func (r *redisServer) deleteData() { os.RemoveAll(filepath.Join(r.folder, "appendonlydir")) }

// cli runs redis-cli and returns what it prints.
func (r *redisServer) cli(args ...string) string {
	r.t.Helper()
	login := []string{"-h", "127.0.0.1", "-p", strconv.Itoa(r.port)}
	if r.password != "" {
		login = append(login, "--no-auth-warning", "-a", r.password)
	}
	out, err := exec.CommandContext(r.t.Context(), "redis-cli", append(login, args...)...).CombinedOutput()
	if err != nil {
		return err.Error() + string(out)
	}
	return string(out)
}

// must runs redis-cli and fails the test unless it prints OK.
func (r *redisServer) must(args ...string) {
	r.t.Helper()
	if out := r.cli(args...); !strings.HasPrefix(out, "OK") {
		r.t.Fatalf("redis-cli %v: %s", args, out)
	}
}

// section returns the section session.redis.
func (r *redisServer) section() string { return redisAt(local(r.port)) }

// redisAt returns the section session.redis of a Redis at an address.
func redisAt(address string) string { return fmt.Sprintf(`{urls: ["redis://%s/0"]}`, address) }
