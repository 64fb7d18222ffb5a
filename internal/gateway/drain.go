package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/config"
)

// drainer shuts down gracefully: report not ready, stop accepting, finish requests in flight.
type drainer struct {
	log     *slog.Logger
	service *systemd
	gauge   prometheus.Gauge

	draining atomic.Bool
	leaving  chan struct{} // closed when the listeners close: WebSockets and event streams end
	inFlight inFlight
}

func newDrainer(log *slog.Logger, service *systemd, gauge prometheus.Gauge) *drainer {
	return &drainer{log: log, service: service, gauge: gauge, leaving: make(chan struct{})}
}

// drain ends the public servers. For drain_delay, in which load balancers notice, everything is served, and each
// response asks its client to close the connection. Then the listeners close, WebSockets and event streams are asked to
// reconnect, and requests in flight get drain_timeout.
func (d *drainer) drain(cfg config.ServerConfig, servers []*http.Server) {
	d.service.stopping(cfg.DrainDelay.D() + cfg.DrainTimeout.D())
	d.draining.Store(true)
	d.gauge.Set(1)
	d.log.Info("draining", "drain_delay", cfg.DrainDelay.String(), "drain_timeout", cfg.DrainTimeout.String())
	time.Sleep(cfg.DrainDelay.D())
	ctx, cancel := context.WithTimeout(context.Background(), cfg.DrainTimeout.D())
	defer cancel()
	close(d.leaving)
	var all sync.WaitGroup
	for _, s := range servers {
		all.Go(func() { _ = s.Shutdown(ctx) }) // inFlight knows what is left
	}
	all.Wait()
	if left := d.inFlight.wait(ctx); left > 0 {
		d.log.Warn("requests were aborted at the end of drain_timeout", "requests", left)
	}
	for _, s := range servers {
		s.Close()
	}
}

// closeWhileDraining counts the requests in flight. While the process drains, it asks clients to close their
// connections after the response; HTTP/2 turns that into GOAWAY.
func (d *drainer) closeWhileDraining(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.inFlight.begin()
		defer d.inFlight.end()
		if d.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// inFlight counts requests in flight. Unlike http.Server.Shutdown it includes WebSockets.
type inFlight struct{ n atomic.Int64 }

func (f *inFlight) begin() { f.n.Add(1) }
func (f *inFlight) end()   { f.n.Add(-1) }

// wait waits until no request is left or ctx ends. It returns how many are left.
func (f *inFlight) wait(ctx context.Context) int64 {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for f.n.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return f.n.Load()
		}
	}
	return 0
}
