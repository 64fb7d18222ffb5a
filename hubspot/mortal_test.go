package hubspot

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// mortal kills a replica at one of its steps. A step is the moment before and the moment after each command to Redis and each call to
// HubSpot: from then on nothing of the replica reaches anybody, as after kill -9; what it had done stays done.
type mortal struct {
	steps atomic.Int64
	at    int64 // the step at which it dies; 0 = never
	dead  atomic.Bool
	died  context.CancelFunc
}

var errDead = errors.New("this process does not exist any more")

// step is true as long as the replica lives.
func (m *mortal) step() bool {
	if m.steps.Add(1) == m.at {
		m.dead.Store(true)
		m.died()
	}
	return !m.dead.Load()
}

// DialHook is not a step.
func (m *mortal) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook is two steps.
func (m *mortal) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if !m.step() {
			cmd.SetErr(errDead)
			return errDead
		}
		err := next(ctx, cmd)
		if !m.step() {
			cmd.SetErr(errDead)
			return errDead
		}
		return err
	}
}

// ProcessPipelineHook is two steps.
func (m *mortal) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if !m.step() {
			return errDead
		}
		err := next(ctx, cmds)
		if !m.step() {
			return errDead
		}
		return err
	}
}

// transport is two steps for each call.
func (m *mortal) transport(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if !m.step() {
			return nil, errDead
		}
		res, err := next.RoundTrip(r)
		if !m.step() {
			return nil, errDead
		}
		return res, err
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// mortal makes a running replica that dies at a step.
func (w *world) mortal(at int64) *mortal {
	w.t.Helper()
	m := &mortal{at: at}
	client := w.dial()
	client.AddHook(m)
	ctx, cancel := context.WithCancel(w.t.Context())
	m.died = cancel
	r := w.replicaOn(client, m.transport(w.http))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.Run(ctx)
	}()
	w.t.Cleanup(func() { cancel(); <-done })
	return m
}
