package session

import (
	"context"
	"log/slog"
	"time"
)

// retryQueue retries writes until Redis accepts them.
type retryQueue struct {
	tasks chan retryTask
	every time.Duration // between two tasks, after one has failed
	log   *slog.Logger
}

// retryTask is a write to Redis that failed.
type retryTask struct {
	ref      string // of the session
	optional bool   // dropped if the queue is crowded
	run      func(context.Context) error
	dropped  func() // called if the queue is full; may be nil
}

const maxRetries = 10_000

func newRetryQueue(log *slog.Logger) *retryQueue {
	return &retryQueue{tasks: make(chan retryTask, maxRetries), every: time.Second, log: log}
}

// crowded reports whether the queue has no room for optional tasks.
func (q *retryQueue) crowded() bool { return len(q.tasks) > maxRetries/2 }

// enqueue adds a task. If the queue is full it drops the task: the record expires on its own, and this replica has a
// tombstone.
func (q *retryQueue) enqueue(t retryTask) {
	if t.optional && q.crowded() {
		return
	}
	select {
	case q.tasks <- t:
	default:
		if t.dropped != nil {
			t.dropped()
		}
		q.log.Error("too many writes are waiting for redis; one was dropped", "session", t.ref)
	}
}

// loop runs tasks until ctx ends. A task that fails goes to the end of the queue, so that one that always fails does
// not block the others.
func (q *retryQueue) loop(ctx context.Context) {
	defer q.drain(ctx)
	tick := time.NewTicker(q.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-q.tasks:
			if q.try(ctx, t) == nil {
				continue
			}
			q.enqueue(t)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// drain runs the remaining tasks before the process exits. It stops at the first error.
func (q *retryQueue) drain(ctx context.Context) {
	ctx, cancel := detached(ctx)
	defer cancel()
	for {
		select {
		case t := <-q.tasks:
			if q.try(ctx, t) != nil {
				return
			}
		default:
			return
		}
	}
}

func (q *retryQueue) try(ctx context.Context, t retryTask) error {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	return t.run(ctx)
}
