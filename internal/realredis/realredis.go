package realredis

import (
	"bufio"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/testservice"
)

// Server is a redis-server on loopback. It stops with its test.
type Server struct {
	Addr string

	t    testing.TB
	args []string
	cmd  *exec.Cmd
}

// Start starts a server with additional arguments. By default it stores nothing on disk.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	testservice.Need(t, "redis", "redis-server")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	defaults := []string{"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", ""}
	s := &Server{Addr: l.Addr().String(), t: t, args: append(defaults, args...)}
	l.Close()
	s.Run()
	t.Cleanup(s.Kill)
	return s
}

// Run starts the server, again after Kill with its data on disk, and returns when it accepts connections.
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
	var output strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			go io.Copy(io.Discard, out) //nolint:errcheck // until the server exits
			return
		}
		output.WriteString(lines.Text() + "\n")
	}
	s.t.Fatalf("redis-server did not start:\n%s", &output)
}

// Kill kills the server, as in a crash.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
