package auth

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/hubgate/hubgate/internal/background"
)

// waiters bounds the repeated callbacks that wait for the first one. Anyone can begin a login and send its callback
// many times with a made-up code (resource exhaustion, CWE-400). So all callbacks of one attempt share one poller.
type waiters struct {
	flight    singleflight.Group
	mu        sync.Mutex
	byAttempt map[string]int
	all       int
}

const (
	resultWait  = 5 * time.Second       // how long a callback waits
	minPollWait = 50 * time.Millisecond // between two polls; doubled up to maxPollWait
	maxPollWait = 800 * time.Millisecond

	maxWaitersPerAttempt = 32
	maxWaiters           = 512 // in this process
)

// enter reports whether one more callback may wait for an attempt.
func (q *waiters) enter(attempt string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.all >= maxWaiters || q.byAttempt[attempt] >= maxWaitersPerAttempt {
		return false
	}
	q.all++
	q.byAttempt[attempt]++
	return true
}

func (q *waiters) leave(attempt string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all--
	if q.byAttempt[attempt]--; q.byAttempt[attempt] == 0 {
		delete(q.byAttempt, attempt)
	}
}

// wait waits until the attempt is settled, at most resultWait. The shared poller does not depend on any one request,
// so a canceled request never looks like a Redis error.
func (c *claims) wait(ctx context.Context, st state) (progress, error) {
	attempt := st.hash()
	if !c.waiters.enter(attempt) {
		return progress{}, nil
	}
	defer c.waiters.leave(attempt)
	ctx, cancel := context.WithTimeout(ctx, resultWait)
	defer cancel()
	for {
		poll := func() (any, error) { return c.poll(context.WithoutCancel(ctx), st) }
		select {
		case r := <-c.waiters.flight.DoChan(attempt, poll):
			if r.Err != nil {
				return progress{}, r.Err
			}
			p := r.Val.(progress)
			if p.settled() || ctx.Err() != nil {
				return p, nil
			} // else the poller had begun before this callback, and gave up earlier
		case <-ctx.Done():
			return progress{}, nil
		}
	}
}

// poll reads Redis until the attempt is settled or resultWait has passed.
func (c *claims) poll(ctx context.Context, st state) (p progress, err error) {
	defer background.Recover(&err)
	pause := minPollWait
	for waited := time.Duration(0); waited < resultWait; waited += pause {
		time.Sleep(pause)
		p, err = c.progress(ctx, st)
		if err != nil || p.settled() {
			return p, err
		}
		pause = min(2*pause, maxPollWait)
	}
	return progress{}, nil
}
