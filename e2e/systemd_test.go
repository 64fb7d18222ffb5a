package e2e

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager is the socket where a service manager receives notifications.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
}

func startManager(t *testing.T) *manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return &manager{t, conn}
}

// next returns the next message that is WATCHDOG=1, or the next one that is not.
func (m *manager) next(watchdog bool) string {
	m.t.Helper()
	for text := make([]byte, 4096); ; {
		m.conn.SetReadDeadline(time.Now().Add(60 * time.Second))
		n, err := m.conn.Read(text)
		if err != nil {
			m.t.Fatalf("no message from the service: %v", err)
		}
		if message := string(text[:n]); (message == "WATCHDOG=1") == watchdog {
			return message
		}
	}
}

func TestSystemdIsNotified(t *testing.T) {
	g := newSite(t, options{}).newGateway()
	m := startManager(t)
	t.Setenv("WATCHDOG_USEC", "300000")
	g.launch()
	if got := m.next(false); got != "READY=1" {
		t.Fatalf("at the start: %q", got)
	}
	if !strings.Contains(g.text("/readyz"), "status") {
		t.Error("not ready")
	}
	m.next(true)
	m.next(true)
	g.signal(syscall.SIGHUP)
	reloading := m.next(false)
	stamp, found := strings.CutPrefix(reloading, "RELOADING=1\nMONOTONIC_USEC=")
	if !found || strings.Trim(stamp, "0123456789") != "" || len(stamp) < 6 {
		t.Errorf("at a reload: %q", reloading)
	}
	if got := m.next(false); got != "READY=1" {
		t.Errorf("after a reload: %q", got)
	}
	g.set(config{"server.drain_delay": "1s"})
	if first, then := m.next(false), m.next(false); !strings.HasPrefix(first, "RELOADING=1\n") || then != "READY=1" {
		t.Errorf("after the file changed: %q, %q", first, then)
	}
	g.signal(syscall.SIGTERM)
	g.signal(syscall.SIGHUP)
	got := m.next(false)
	if strings.HasPrefix(got, "RELOADING=1\n") { // SIGHUP was handled first, and SIGTERM after it or meanwhile
		if got = m.next(false); got == "READY=1" {
			got = m.next(false)
		}
	}
	if got != "STOPPING=1\nEXTEND_TIMEOUT_USEC=11000000" { // 1 s, drain_timeout, and 5 s
		t.Errorf("at the end: %q", got)
	}
	m.next(true) // while it drains
	if code := g.wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	m.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	for text := make([]byte, 4096); ; {
		n, err := m.conn.Read(text)
		if err != nil {
			break
		}
		if message := string(text[:n]); message != "WATCHDOG=1" {
			t.Errorf("after STOPPING: %q", message)
		}
	}
}
