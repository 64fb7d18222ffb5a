package gateway

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// systemd tells the service manager what the process is doing (sd_notify(3)); without NOTIFY_SOCKET it tells nobody.
type systemd struct {
	socket   string
	watchdog time.Duration // half of what WatchdogSec asks for; 0 = not wanted

	mu   sync.Mutex
	ends bool // nothing about readiness may follow STOPPING
}

func newSystemd(getenv func(string) string) *systemd {
	s := &systemd{socket: getenv("NOTIFY_SOCKET")}
	if usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && usec > 0 {
		s.watchdog = time.Duration(usec) * time.Microsecond / 2
	}
	return s
}

// notifyTime is how long a message waits for a manager whose queue is full: a drain must not hang because that does.
const notifyTime = 2 * time.Second

// notify sends one message; a manager that does not listen costs nothing.
func (s *systemd) notify(state string) {
	if s.socket == "" {
		return
	}
	conn, err := net.Dial("unixgram", s.socket)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetWriteDeadline(time.Now().Add(notifyTime))
	_, _ = conn.Write([]byte(state))
}

// state tells about readiness, which a process that is to end has no more.
func (s *systemd) state(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ends {
		s.notify(text)
	}
}

func (s *systemd) ready() { s.state("READY=1") }

// stopping also asks for the time that the drain takes, whatever TimeoutStopSec the unit has.
func (s *systemd) stopping(takes time.Duration) {
	s.state(fmt.Sprintf("STOPPING=1\nEXTEND_TIMEOUT_USEC=%d", (takes+stopSlack)/time.Microsecond))
	s.mu.Lock()
	s.ends = true
	s.mu.Unlock()
}

// stopSlack is what ends after the visitors have gone: the contact queue is handed over, Redis is left.
const stopSlack = 5 * time.Second

// reloading begins a reload; ready ends it.
func (s *systemd) reloading() {
	s.state(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", monotonicMicroseconds()))
}

// alive asks the admin listener whether it answers: not the kernel, which accepts connections for a process that hangs.
func alive(listener net.Addr) func(context.Context) bool {
	host, port, _ := net.SplitHostPort(listener.String())
	if a, err := netip.ParseAddr(host); err == nil && a.IsUnspecified() {
		host = "localhost"
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(ctx context.Context) bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/livez", nil)
		if err != nil {
			return false
		}
		res, err := client.Do(req)
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	}
}

// keepAlive pats the watchdog until ctx ends, as long as alive says that requests can be served.
func (s *systemd) keepAlive(ctx context.Context, alive func(context.Context) bool) {
	if s.watchdog == 0 {
		return
	}
	ticker := time.NewTicker(s.watchdog)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			asking, cancel := context.WithTimeout(ctx, s.watchdog)
			if alive(asking) {
				s.notify("WATCHDOG=1")
			}
			cancel()
		}
	}
}
