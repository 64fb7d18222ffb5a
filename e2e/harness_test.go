// Package e2e tests the binary with real servers around it: what an operator deploys.
package e2e

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// binary is the path of the hubgate that TestMain built.
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

// lastPort is the last port that a test got. Every port is given out once. They are below the range of ephemeral
// ports, so that no outgoing connection takes one before its test listens there.
var lastPort atomic.Int32

const firstPort, endPort = 20_000, 32_000

// freePorts returns the first of n consecutive ports that are free and that no other test gets.
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
		l, err := net.Listen("tcp", local(port))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

// local returns the address of a port on the loopback interface.
func local(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// localhost returns the address of a port by name.
func localhost(port int) string { return "localhost:" + strconv.Itoa(port) }

// address returns the URL of a port on the loopback interface.
func address(port int) string { return "http://" + local(port) }

// listens reports whether something listens on a port.
func listens(port int) bool {
	conn, err := net.DialTimeout("tcp", local(port), time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func listen(t *testing.T, port int) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", local(port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// dial connects to an address. The connection is closed after the test, and times out after a minute.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

// write writes a file into a new folder and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	overwrite(t, path, text)
	return path
}

func overwrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until done returns true. The limit is far beyond what any condition needs: it only ends a hang.
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
			t.Fatalf("timeout: %s", what)
		}
	}
}
