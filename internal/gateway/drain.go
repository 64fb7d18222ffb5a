package gateway

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hubgate/hubgate/internal/logging"
)

// drain is the end of the process, politely: unready, then deaf, then done. While the balancer notices, everything is served, each
// answer asking its connection to close; then the listeners close, open WebSockets and event streams are told to come back elsewhere,
// and requests under way get drain_timeout.
func (g *gateway) drain(servers []*http.Server) {
	log, cfg := logging.Component(g.log, "server"), g.current.Load().cfg.Server
	g.service.stopping(cfg.DrainDelay.D() + cfg.DrainTimeout.D())
	g.draining.Store(true)
	g.configMetrics.draining.Set(1)
	log.Info("draining", "drain_delay", cfg.DrainDelay.String(), "drain_timeout", cfg.DrainTimeout.String())
	time.Sleep(cfg.DrainDelay.D())
	limit, cancel := context.WithTimeout(context.Background(), cfg.DrainTimeout.D())
	defer cancel()
	close(g.leaving)
	var all sync.WaitGroup
	for _, s := range servers {
		all.Go(func() { _ = s.Shutdown(limit) }) // whether anybody was cut off, visitors tells
	}
	all.Wait()
	if left := g.visitors.wait(limit); left > 0 {
		log.Warn("requests were cut off at the end of drain_timeout", "requests", left)
	}
	for _, s := range servers {
		s.Close()
	}
}

// polite asks the connections of a process that is to end to close after their answer; HTTP/2 turns that into GOAWAY.
func (g *gateway) polite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.visitors.come()
		defer g.visitors.leave()
		if g.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// visitors counts the requests under way, WebSockets among them, which http.Server.Shutdown does not wait for.
type visitors struct{ n atomic.Int64 }

func (v *visitors) come()  { v.n.Add(1) }
func (v *visitors) leave() { v.n.Add(-1) }

// wait returns when nobody is left or ctx ends, and how many are left then.
func (v *visitors) wait(ctx context.Context) int64 {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for v.n.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return v.n.Load()
		}
	}
	return 0
}

// signals are what operators send to the process. They are caught before anything else happens: one that came too early would kill it.
type signals struct {
	hup    chan os.Signal // reload
	second chan struct{}  // end at once
	stop   func()
}

// catchSignals counts SIGTERM and SIGINT: the first one has also ended the context that serve was given.
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
