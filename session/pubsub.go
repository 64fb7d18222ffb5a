package session

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
)

// subscription receives notifications about the sessions that other replicas end or change.
type subscription struct {
	rdb     redis.UniversalClient
	channel string
	epoch   *connectionEpoch
	cache   *cache
	onUp    func()
	log     *slog.Logger
	now     func() time.Time
	downAt  atomic.Pointer[time.Time] // nil while the subscription is up, and before the first attempt
}

const (
	resubscribeAfter = 250 * time.Millisecond
	pingEvery        = time.Second // finds half-open connections, which would hide ends
)

// loop keeps the subscription up until ctx ends. While it is down, an end may be missed: the cache is not trusted.
func (sub *subscription) loop(ctx context.Context) {
	for ctx.Err() == nil {
		err := sub.receive(ctx)
		now := sub.now()
		if ctx.Err() == nil && sub.downAt.CompareAndSwap(nil, &now) {
			sub.log.Warn("the subscription to redis is interrupted: every request asks redis until it is back",
				"error", err)
		}
		background.Sleep(ctx, resubscribeAfter)
	}
}

// receive receives messages until the subscription is interrupted.
func (sub *subscription) receive(ctx context.Context) error {
	conn := sub.rdb.Subscribe(ctx, sub.channel)
	defer conn.Close()
	defer sub.epoch.down() // after a panic as well: ends may be missed
	for pinged, up := false, false; ; {
		message, err := conn.ReceiveTimeout(ctx, pingEvery)
		switch {
		case err == nil:
			pinged, up = false, true
			sub.onMessage(message)
		case up && errors.As(err, new(redis.Error)): // a reply to the ping: a read-only Redis may refuse it
			pinged = false
		case ctx.Err() != nil || !isTimeout(err) || pinged: // no reply to the ping: the connection is half-open
			return err
		default: // silence: ping, because a successful send proves nothing
			pinged = true
			if err := conn.Ping(ctx); err != nil {
				return err
			}
		}
	}
}

// onMessage handles a confirmation of the subscription, after which no end is missed, or an event.
func (sub *subscription) onMessage(message any) {
	switch v := message.(type) {
	case *redis.Subscription:
		if v.Kind != "subscribe" {
			return
		}
		sub.epoch.up()
		if sub.downAt.Swap(nil) != nil {
			sub.log.Info("the subscription to redis is back")
		}
		sub.onUp()
	case *redis.Message:
		sub.onEvent(v.Payload)
	}
}

// onEvent handles the end or the change of a session.
func (sub *subscription) onEvent(payload string) {
	verb, ref, _ := strings.Cut(payload, " ")
	if !isRef(ref) {
		return
	}
	switch verb {
	case "end":
		sub.cache.markEnded(ref)
	case "new":
		sub.cache.invalidate(ref)
	}
}

// signal wakes the receiver of a channel with room for one value.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
