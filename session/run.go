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
	return group.Wait()
}

// resubscribe is how long an interrupted subscription waits before the next try.
const resubscribe = 250 * time.Millisecond

// listen keeps the subscription. While it is interrupted the epoch is odd and the cache is not trusted: an ending may be missed.
func (m *Manager) listen(ctx context.Context) {
	for ctx.Err() == nil {
		m.subscription(ctx)
		if m.epoch.Load()%2 == 0 {
			m.epoch.Add(1)
		}
		m.deaf.CompareAndSwap(nil, &health{false, "its subscription is interrupted: every request asks Redis", m.deps.Now()})
		select {
		case <-ctx.Done():
		case <-time.After(resubscribe):
		}
	}
}

func (m *Manager) subscription(ctx context.Context) {
	sub := m.deps.Block.Subscribe(ctx, m.channel())
	defer sub.Close()
	for asked := false; ; {
		message, err := sub.ReceiveTimeout(ctx, pingEvery)
		switch {
		case err == nil:
			asked = false
			m.heard(message)
		case ctx.Err() != nil || !isTimeout(err) || asked: // asked, and still nothing: the connection is half-open
			return
		default: // silence: is anybody still there? That the question could be sent says nothing.
			if asked = true; sub.Ping(ctx) != nil {
				return
			}
		}
	}
}

// pingEvery finds a half-open connection: on one, endings would be missed without anybody noticing.
const pingEvery = time.Second

func (m *Manager) told(payload string) {
	verb, ref, _ := strings.Cut(payload, " ")
	switch verb {
	case "end":
		m.forget(ref)
	case "new":
		m.drop(ref)
	}
}
