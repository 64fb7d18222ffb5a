package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/redis/go-redis/v9"
)

// atStep calls do at one step of a replica: the moment before or after one of its Redis commands and HubSpot calls.
type atStep struct {
	steps atomic.Int64
	at    int64
	do    func()
}

func (s *atStep) count() {
	if s.steps.Add(1) == s.at {
		s.do()
	}
}

// DialHook returns next; dialing is not a step.
func (s *atStep) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook counts two steps per command.
func (s *atStep) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		s.count()
		defer s.count()
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook counts two steps per pipeline.
func (s *atStep) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		s.count()
		defer s.count()
		return next(ctx, cmds)
	}
}

// runAtStep runs a replica until the queue is empty, and calls do at one of its steps, 0 = never. It returns the number
// of steps.
func (e *env) runAtStep(at int64, do func()) int64 {
	e.t.Helper()
	s := &atStep{at: at, do: do}
	client := e.dial()
	client.AddHook(s)
	api := roundTrip(func(r *http.Request) (*http.Response, error) {
		s.count()
		defer s.count()
		return e.http.RoundTrip(r)
	})
	r := e.replicaOn(client, api)
	ctx, cancel := context.WithCancel(e.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.Run(ctx)
	}()
	e.waitFor("the step is reached", func() bool { return s.steps.Load() >= at })
	e.waitDrained(e.replica())
	e.waitFor("the batch is over", func() bool { return !e.mini.Exists("hubgate:{crm}:inflight") })
	cancel()
	<-done
	return s.steps.Load()
}

// The replica that sends is not killed; the person is forgotten between two of its steps.
func TestForgetAtEveryStepOfTheWorker(t *testing.T) {
	t.Parallel()
	var steps int64
	synctest.Test(t, func(t *testing.T) {
		steps = newTwoPeopleEnv(t).runAtStep(0, nil)
	})
	for at := int64(1); at <= steps; at++ {
		t.Run(fmt.Sprintf("step %d of %d", at, steps), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newTwoPeopleEnv(t)
				front := e.replica()
				var first Forgotten
				e.runAtStep(at, func() {
					var err error
					if first, err = front.Forget(t.Context(), "ada@example.com", noSessions); err != nil {
						t.Error(err)
					}
				})
				if first.InFlight { // the command is repeated, as its output says
					e.forgetAda(front)
				}
				if found := append(e.tracesOf("ada", e.key), e.leftKeys()...); len(found) > 0 {
					t.Errorf("left: %q", found)
				}
				if e.contact("bob@example.com") == nil {
					t.Error("another person was not sent")
				}
			})
		})
	}
}
