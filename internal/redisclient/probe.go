package redisclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
)

// Probe determines whether Redis is available. It reads and writes its own key through its own connection, so that no
// visitor can make it fail, delay it or keep it from running. That connection may work while no other can be
// made (maxclients is reached, a firewall drops SYNs); after a failed command, and while Redis is down, the probe
// therefore makes a new connection as well. The breaker, the health check and the metric follow the probe alone.
type Probe struct {
	queries
	breaker *breaker
	report  func(Result)
	log     *slog.Logger

	last    atomic.Pointer[Result]
	pending chan error // receives the result of a query that did not return in time; nil if there is none
}

const (
	probeEvery    = time.Second            // while Redis serves
	queryTimeout  = 500 * time.Millisecond // of one query
	recheckAfter  = 50 * time.Millisecond  // a first failure may be a connection that broke while it was idle
	minProbePause = 100 * time.Millisecond // between two probes, and the first pause while Redis is down
	maxProbePause = 500 * time.Millisecond // between two probes while Redis is down
)

// ErrTimeout means that a query got no reply in time.
var ErrTimeout = errors.New("no reply within " + queryTimeout.String())

func newProbe(b *breaker, report func(Result), log *slog.Logger) *Probe {
	p := &Probe{breaker: b, report: report, log: log}
	p.last.Store(&Result{})
	return p
}

// Run probes until ctx ends.
func (p *Probe) Run(ctx context.Context) {
	wait, connect := minProbePause, true
	for {
		result := p.Check(ctx, connect)
		if result.Status() > p.last.Load().Status() && pause(ctx, recheckAfter) {
			result = p.Check(ctx, connect)
		}
		if ctx.Err() != nil {
			return
		}
		p.Record(result)
		if result.Err == nil {
			wait = minProbePause
			connect = p.idle(ctx)
			continue
		}
		pause(ctx, wait)
		connect = true
		wait = min(2*wait, maxProbePause)
	}
}

// idle waits for the next probe while Redis serves: for a second, or for a failed command. It reports whether a command
// failed.
func (p *Probe) idle(ctx context.Context) bool {
	if !pause(ctx, minProbePause) {
		return false
	}
	next := time.NewTimer(probeEvery - minProbePause)
	defer next.Stop()
	select {
	case <-ctx.Done():
	case <-p.breaker.probeWanted:
		return true
	case <-next.C:
	}
	return false
}

// pause reports whether d passed before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Check runs each query once, that of a new connection only if connect is set. A write without a reply counts as
// refused, because the read was answered (CLIENT PAUSE has this effect).
func (p *Probe) Check(ctx context.Context, connect bool) Result {
	err := p.query(ctx, p.read)
	if err == nil && connect {
		if err = p.query(ctx, p.connect); err != nil {
			err = fmt.Errorf("no new connection: %w", err)
		}
	}
	if err != nil {
		return Result{Err: err}
	}
	return Result{WriteErr: p.query(ctx, p.write)}
}

// query runs a query within its timeout, even if the client ignores it. At most one query is in flight.
func (p *Probe) query(ctx context.Context, query func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if p.pending != nil { // its result is about the past
		select {
		case <-p.pending:
		case <-ctx.Done():
			return ErrTimeout
		}
	}
	p.pending = make(chan error, 1)
	go func(result chan<- error) {
		result <- recovered(func() error { return query(ctx) })
	}(p.pending)
	select {
	case err := <-p.pending:
		p.pending = nil
		return err
	case <-ctx.Done():
		return ErrTimeout
	}
}

// State returns the state of Redis as of the last probe.
func (p *Probe) State() State {
	r := p.last.Load()
	return State{Down: r.Err != nil, ReadOnly: r.WriteErr != nil, Since: r.since}
}

// Record applies a result to the breaker and reports it, if the status changed.
func (p *Probe) Record(result Result) {
	last := p.last.Load()
	if !last.since.IsZero() && last.Status() == result.Status() {
		return
	}
	result.since = time.Now()
	p.last.Store(&result)
	p.breaker.open.Store(result.Err != nil)
	p.report(result)
	switch {
	case result.Err != nil && accessDenied(result.Err):
		p.log.Error("redis denies access: fix the user, password or ACL of session.redis", "error", result.Err)
	case result.Err != nil:
		p.log.Error("redis is unavailable; known sessions stay valid within session.outage_grace", "error", result.Err)
	case result.WriteErr != nil:
		p.log.Error("redis refuses writes: sessions stay valid, logins fail", "error", result.WriteErr)
	case last.Err != nil:
		p.log.Info("redis is available again")
	case last.WriteErr != nil:
		p.log.Info("redis accepts writes again")
	}
}

// accessDenied reports whether Redis rejected the credentials, or denies a permission.
func accessDenied(err error) bool {
	for _, code := range []string{"NOAUTH", "WRONGPASS", "NOPERM"} {
		if strings.Contains(err.Error(), code) {
			return true
		}
	}
	return false
}
