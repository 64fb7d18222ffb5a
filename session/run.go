package session

import (
	"context"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run listens for what other replicas end or change, and does what Redis did not take at first, until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { m.listen(ctx); return nil })
	group.Go(func() error { m.settle(ctx); return nil })
	group.Go(func() error { m.inspect(ctx); return nil })
	group.Go(func() error { m.wake(ctx); return nil })
	return group.Wait()
}

// resubscribe is how long an interrupted subscription waits before the next try.
const resubscribe = 250 * time.Millisecond

// listen keeps the subscription. While it is interrupted the epoch is odd and the cache is not trusted: an ending may be missed.
func (m *Manager) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := m.subscription(ctx)
		if m.epoch.Load()%2 == 0 {
			m.epoch.Add(1)
		}
		since := &interruption{"its subscription is interrupted: every request asks Redis", m.deps.Now()}
		if ctx.Err() == nil && m.deaf.CompareAndSwap(nil, since) {
			m.deps.Log.Warn("the subscription to redis is interrupted: every request asks redis until it is back", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(resubscribe):
		}
	}
}

// subscription hears until it is interrupted.
func (m *Manager) subscription(ctx context.Context) error {
	sub := m.deps.Block.Subscribe(ctx, m.store.keys.channel())
	defer sub.Close()
	for asked, stands := false, false; ; {
		message, err := sub.ReceiveTimeout(ctx, pingEvery)
		switch {
		case err == nil:
			asked, stands = false, true
			m.heard(message)
		case stands && isAnswer(err): // to the question: a Redis that takes no writes refuses that as well
			asked = false
		case ctx.Err() != nil || !isTimeout(err) || asked: // asked, and still nothing: the connection is half-open
			return err
		default: // silence: is anybody still there? That the question could be sent says nothing.
			asked = true
			if err := sub.Ping(ctx); err != nil {
				return err
			}
		}
	}
}

// pingEvery finds a half-open connection: on one, endings would be missed without anybody noticing.
const pingEvery = time.Second

func (m *Manager) told(payload string) {
	verb, ref, _ := strings.Cut(payload, " ")
	if !isRef(ref) {
		return
	}
	switch verb {
	case "end":
		m.forget(ref)
	case "new":
		m.drop(ref)
	}
}
