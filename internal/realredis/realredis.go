// Package realredis runs a redis-server of a test's own. Without one on this machine the test is skipped, unless HUBGATE_TEST_SERVICES
// names redis. It imports none of ours.
package realredis

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Server is a redis-server on loopback. It ends with its test.
type Server struct {
	Addr string

	t    testing.TB
	args []string
	cmd  *exec.Cmd
}

// Start runs a server with its configuration in args; without any, it keeps everything in memory.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if slices.Contains(strings.Split(os.Getenv("HUBGATE_TEST_SERVICES"), ","), "redis") {
			t.Fatal("redis-server is not installed, and HUBGATE_TEST_SERVICES names redis")
		}
		t.Skip("redis-server is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s := &Server{Addr: l.Addr().String(), t: t, args: append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", ""}, args...)}
	l.Close()
	s.Run()
	t.Cleanup(s.Kill)
	return s
}

// Run starts it again after Kill, with what it had written to its disk, and returns when it serves.
func (s *Server) Run() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			go io.Copy(io.Discard, out) //nolint:errcheck // until it ends
			return
		}
		said.WriteString(lines.Text() + "\n")
	}
	s.t.Fatalf("redis-server does not serve:\n%s", &said)
}

// Kill ends it at once, as a crash would.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
