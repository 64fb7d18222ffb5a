package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// systemd tells the service manager what the process is doing (sd_notify(3)); without NOTIFY_SOCKET it tells nobody.
type systemd struct {
	socket   string
	watchdog time.Duration // half of what WatchdogSec asks for; 0 = not wanted
}

func newSystemd(getenv func(string) string) systemd {
	s := systemd{socket: getenv("NOTIFY_SOCKET")}
	if usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && usec > 0 {
		s.watchdog = time.Duration(usec) * time.Microsecond / 2
	}
	return s
}

// notify sends one message; a manager that does not listen costs nothing.
func (s systemd) notify(state string) {
	if s.socket == "" {
		return
	}
	conn, err := net.Dial("unixgram", s.socket)
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state))
}

func (s systemd) ready()    { s.notify("READY=1") }
func (s systemd) stopping() { s.notify("STOPPING=1") }

// reloading begins a reload; ready ends it.
func (s systemd) reloading() {
	s.notify(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", monotonicMicroseconds()))
}

// keepAlive pats the watchdog until ctx ends, as long as alive says that requests can be served.
func (s systemd) keepAlive(ctx context.Context, alive func() bool) {
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
			if alive() {
				s.notify("WATCHDOG=1")
			}
		}
	}
}
