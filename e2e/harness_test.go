// Package e2e runs the built binary with real parts beside it: what is tested here is what an operator deploys.
package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// binary is the hubgate that TestMain built.
var binary string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "hubgate-e2e-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(folder, "hubgate")
	args := []string{"build", "-o", binary}
	if raceEnabled {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "../cmd/hubgate")...)
	build.Stderr = os.Stderr
	code := 1
	if err := build.Run(); err == nil {
		code = m.Run()
	}
	os.RemoveAll(folder)
	os.Exit(code)
}

// need skips a test whose service is not on this machine, unless HUBGATE_TEST_SERVICES names it: then it must be there.
func need(t *testing.T, service, program string) {
	t.Helper()
	_, err := exec.LookPath(program)
	if err == nil {
		return
	}
	for _, name := range strings.Split(os.Getenv("HUBGATE_TEST_SERVICES"), ",") {
		if name == service {
			t.Fatalf("%s is not installed, and HUBGATE_TEST_SERVICES names %s", program, service)
		}
	}
	t.Skipf("%s is not installed; install it to run this test", program)
}

// process is a program that runs beside the test.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  *transcript
	done chan struct{}
}

// start runs a program until the test ends.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(name, args...), out: &transcript{changed: make(chan struct{}, 1)}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(name), p.out)
		}
	})
	return p
}

// says waits until the program has printed a text.
func (p *process) says(text string) {
	p.t.Helper()
	limit := time.After(60 * time.Second)
	for !strings.Contains(p.out.String(), text) {
		select {
		case <-p.out.changed:
		case <-p.done:
			if !strings.Contains(p.out.String(), text) {
				p.t.Fatalf("%s ended before it said %q:\n%s", p.cmd.Path, text, p.out)
			}
		case <-limit:
			p.t.Fatalf("%s never said %q:\n%s", p.cmd.Path, text, p.out)
		}
	}
}

// terminate asks the program to end and returns its exit status.
func (p *process) terminate() int {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	return p.wait()
}

// config is the file that it was started with.
func (p *process) config() string { return p.cmd.Args[len(p.cmd.Args)-1] }

func (p *process) signal(s syscall.Signal) { p.cmd.Process.Signal(s) }

// kill ends the program as a crash does.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(60 * time.Second):
		p.t.Fatalf("%s does not end", p.cmd.Path)
	}
	return p.cmd.ProcessState.ExitCode()
}

// transcript keeps what was printed.
type transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func (tr *transcript) Write(p []byte) (int, error) {
	tr.mu.Lock()
	tr.text.Write(p)
	tr.mu.Unlock()
	select {
	case tr.changed <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String()
}

// lastPort is the last port that was given to a test. Ports are given once, and from below the range out of which the system takes
// those of outgoing connections, so that nobody takes one between its choice and its use.
var lastPort atomic.Int32

const firstPort, endPort = 20_000, 32_000

// freePorts finds n neighbouring ports that nobody listens on and no other test gets.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	for {
		base := firstPort + int(lastPort.Add(int32(n))) - n
		if base+n > endPort {
			t.Fatal("no free ports")
		}
		if allFree(base, n) {
			return base
		}
	}
}

func allFree(base, n int) bool {
	for port := base; port < base+n; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

// startRedis runs a real redis-server of the test's own. Extra arguments are its configuration.
func startRedis(t *testing.T, port int, extra ...string) *process {
	t.Helper()
	need(t, "redis", "redis-server")
	args := append([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", ""}, extra...)
	p := start(t, "redis-server", args...)
	p.says("Ready to accept connections")
	return p
}

// write puts a file into the test's folder.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// eventually waits for what another process does. The limit is far beyond what it takes: it ends a hang, it measures nothing.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		}
	}
}

func address(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }
