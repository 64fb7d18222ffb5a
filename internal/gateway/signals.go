package gateway

import (
	"os"
	"os/signal"
	"syscall"
)

// signals are the signals to the process.
type signals struct {
	hup    chan os.Signal // SIGHUP: reload
	second chan struct{}  // closed by the second SIGTERM or SIGINT: stop at once
	stop   func()
}

// catchSignals catches the signals. It is called first, because a SIGHUP that is not caught ends the process. The first
// SIGTERM or SIGINT also ends the context of Serve.
func catchSignals() *signals {
	s := &signals{hup: make(chan os.Signal, 1), second: make(chan struct{})}
	ends, done := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(s.hup, syscall.SIGHUP)
	signal.Notify(ends, syscall.SIGTERM, syscall.SIGINT)
	s.stop = func() {
		signal.Stop(ends)
		signal.Stop(s.hup)
		close(done)
	}
	go func() {
		for range 2 {
			select {
			case <-ends:
			case <-done:
				return
			}
		}
		close(s.second)
	}()
	return s
}
