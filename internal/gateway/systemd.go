package gateway

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hubgate/hubgate/internal/config"
)

// systemd reports the state of the process to the service manager (sd_notify(3)). Without NOTIFY_SOCKET it does
// nothing.
type systemd struct {
	socket   string
	watchdog time.Duration // half of WatchdogSec; 0 = off

	mu      sync.Mutex
	stopped bool // STOPPING was sent: no other state may follow
}

const (
	notifyTimeout = 2 * time.Second // for a manager whose queue is full: it must not block the drain
	stopSlack     = 5 * time.Second // after the drain, for handing over the contact queue and closing Redis
)

func newSystemd(getenv func(string) string) *systemd {
	s := &systemd{socket: getenv("NOTIFY_SOCKET")}
	if usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && usec > 0 {
		s.watchdog = time.Duration(usec) * time.Microsecond / 2
	}
	return s
}

// notify sends one message. It ignores errors.
func (s *systemd) notify(message string) {
	if s.socket == "" {
		return
	}
	conn, err := net.Dial("unixgram", s.socket)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetWriteDeadline(time.Now().Add(notifyTimeout))
	_, _ = conn.Write([]byte(message))
}

// setState sends a state unless the process is stopping.
func (s *systemd) setState(state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.notify(state)
	}
}

func (s *systemd) ready() { s.setState("READY=1") }

// reloading begins a reload; ready ends it.
func (s *systemd) reloading() {
	s.setState(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", monotonicMicroseconds()))
}

// stopping begins a stop that takes up to the given time, and requests that time in case TimeoutStopSec is shorter.
func (s *systemd) stopping(takes time.Duration) {
	s.setState(fmt.Sprintf("STOPPING=1\nEXTEND_TIMEOUT_USEC=%d", (takes+stopSlack)/time.Microsecond))
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
}

// keepAlive notifies the watchdog until ctx ends, while alive returns true.
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
			limited, cancel := context.WithTimeout(ctx, s.watchdog)
			if alive(limited) {
				s.notify("WATCHDOG=1")
			}
			cancel()
		}
	}
}

// livenessOf returns a function that reports whether the admin listener responds. A connection is not enough: the
// kernel accepts connections for a process that hangs.
func livenessOf(listener net.Addr) func(context.Context) bool {
	address := config.LocalURL(listener.String()) + "/livez"
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(ctx context.Context) bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
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
