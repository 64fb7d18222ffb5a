package broadcast

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
)

// Subscription receives what other replicas publish on a channel of Redis. All fields are required.
type Subscription struct {
	Redis     redis.UniversalClient
	Channel   string
	OnUp      func()               // from now on no message is missed; some may have been missed before
	OnDown    func()               // from now on messages may be missed; called after each failed attempt as well
	OnMessage func(payload string) // called between OnUp and OnDown, with what anyone who can use Redis published
	Effect    string               // what it means to be interrupted, for the log
	Log       *slog.Logger
	Now       func() time.Time

	downAt atomic.Pointer[time.Time] // nil while the subscription is up, and before the first attempt
}

const (
	resubscribeAfter = 250 * time.Millisecond
	pingEvery        = time.Second // finds half-open connections, which would hide messages
)

// Loop keeps the subscription up until ctx ends.
func (s *Subscription) Loop(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.receive(ctx)
		now := s.Now()
		if ctx.Err() == nil && s.downAt.CompareAndSwap(nil, &now) {
			s.Log.Warn("the subscription to redis is interrupted: "+s.Effect, "error", err)
		}
		background.Sleep(ctx, resubscribeAfter)
	}
}

// DownSince returns since when the subscription has been interrupted, or the zero time if it is up or was not tried
// yet.
func (s *Subscription) DownSince() time.Time {
	if at := s.downAt.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// receive receives messages until the subscription is interrupted.
func (s *Subscription) receive(ctx context.Context) error {
	conn := s.Redis.Subscribe(ctx, s.Channel)
	defer conn.Close()
	defer s.OnDown() // after a panic as well: messages may be missed
	for pinged, up := false, false; ; {
		message, err := conn.ReceiveTimeout(ctx, pingEvery)
		switch {
		case err == nil:
			pinged, up = false, true
			s.handle(message)
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

// handle handles a confirmation of the subscription, after which no message is missed, or a message.
func (s *Subscription) handle(received any) {
	switch v := received.(type) {
	case *redis.Subscription:
		if v.Kind != "subscribe" {
			return
		}
		if s.downAt.Swap(nil) != nil {
			s.Log.Info("the subscription to redis is back")
		}
		s.OnUp()
	case *redis.Message:
		s.OnMessage(v.Payload)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
