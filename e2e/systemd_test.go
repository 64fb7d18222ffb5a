package e2e

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager is the socket on which a service manager hears of its services.
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

// hears returns the next message that is no WATCHDOG, or the next of all when one is wanted.
func (m *manager) hears(watchdog bool) string {
	m.t.Helper()
	for text := make([]byte, 4096); ; {
		m.conn.SetReadDeadline(time.Now().Add(60 * time.Second))
		n, err := m.conn.Read(text)
		if err != nil {
			m.t.Fatalf("the service says no more: %v", err)
		}
		if said := string(text[:n]); (said == "WATCHDOG=1") == watchdog {
			return said
		}
	}
}

func TestTheServiceManagerHearsOfStartReloadLifeAndEnd(t *testing.T) {
	w := newWorld(t)
	m := startManager(t)
	t.Setenv("WATCHDOG_USEC", "300000")
	gw := start(t, binary, "serve", "--config", w.config)
	if got := m.hears(false); got != "READY=1" {
		t.Fatalf("at the start: %q", got)
	}
	if res := adminText(w.adminPort, "/readyz"); !strings.Contains(res, "status") {
		t.Error("it is not ready")
	}
	m.hears(true)
	m.hears(true)
	gw.signal(syscall.SIGHUP)
	reloading := m.hears(false)
	if stamp, found := strings.CutPrefix(reloading, "RELOADING=1\nMONOTONIC_USEC="); !found || strings.Trim(stamp, "0123456789") != "" || len(stamp) < 6 {
		t.Errorf("at a reload: %q", reloading)
	}
	if got := m.hears(false); got != "READY=1" {
		t.Errorf("after it: %q", got)
	}
	w.replace("drain_delay: 0s", "drain_delay: 1s")
	if got := m.hears(false) + " " + m.hears(false); !strings.HasPrefix(got, "RELOADING=1\n") || !strings.HasSuffix(got, " READY=1") {
		t.Errorf("at a changed file: %q", got)
	}
	gw.signal(syscall.SIGTERM)
	gw.signal(syscall.SIGHUP)
	if got := m.hears(false); got != "STOPPING=1\nEXTEND_TIMEOUT_USEC=11000000" { // 1 s, drain_timeout, and 5 s
		if strings.HasPrefix(got, "RELOADING") { // the HUP was faster
			m.hears(false)
			got = m.hears(false)
		}
		if got != "STOPPING=1\nEXTEND_TIMEOUT_USEC=11000000" {
			t.Errorf("at the end: %q", got)
		}
	}
	m.hears(true) // alive while it drains
	if code := gw.wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	m.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	for text := make([]byte, 4096); ; {
		n, err := m.conn.Read(text)
		if err != nil {
			break
		}
		if said := string(text[:n]); said != "WATCHDOG=1" {
			t.Errorf("after STOPPING it says %q", said)
		}
	}
}
