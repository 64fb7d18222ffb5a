package hubspot

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// crashPoint crashes a replica at one of its steps: the moment before and the moment after each Redis command and each
// HubSpot call. From then on nothing of the replica takes effect, as after kill -9; what it did before remains.
type crashPoint struct {
	steps   atomic.Int64
	at      int64 // the step of the crash; 0 = never
	crashed atomic.Bool
	cancel  context.CancelFunc
}

var errCrashed = errors.New("replica has crashed")

// alive counts a step and reports whether the replica has not crashed.
func (m *crashPoint) alive() bool {
	if m.steps.Add(1) == m.at {
		m.crashed.Store(true)
		m.cancel()
	}
	return !m.crashed.Load()
}

// DialHook returns next; dialing is not a step.
func (m *crashPoint) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook counts two steps per command.
func (m *crashPoint) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if !m.alive() {
			cmd.SetErr(errCrashed)
			return errCrashed
		}
		err := next(ctx, cmd)
		if !m.alive() {
			cmd.SetErr(errCrashed)
			return errCrashed
		}
		return err
	}
}

// ProcessPipelineHook counts two steps per pipeline.
func (m *crashPoint) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if !m.alive() {
			return errCrashed
		}
		err := next(ctx, cmds)
		if !m.alive() {
			return errCrashed
		}
		return err
	}
}

// transport counts two steps per call.
func (m *crashPoint) transport(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if !m.alive() {
			return nil, errCrashed
		}
		res, err := next.RoundTrip(r)
		if !m.alive() {
			return nil, errCrashed
		}
		return res, err
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// crashingReplica starts a replica that crashes at the given step.
func (e *env) crashingReplica(at int64) *crashPoint {
	e.t.Helper()
	m := &crashPoint{at: at}
	client := e.dial()
	client.AddHook(m)
	ctx, cancel := context.WithCancel(e.t.Context())
	m.cancel = cancel
	r := e.replicaOn(client, m.transport(e.http))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.Run(ctx)
	}()
	e.t.Cleanup(func() { cancel(); <-done })
	return m
}
