package redisclient

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// breaker rejects commands at once while Redis is unavailable, so that requests do not queue behind timeouts. Only the
// Probe opens and closes it: a command may fail for a reason that its visitor chose (its deadline, a cancellation, a
// key of the wrong type), so a failed command starts a probe and decides nothing. It is a hook because only single
// clients have a Limiter.
type breaker struct {
	open        atomic.Bool
	probeWanted chan struct{} // holds one request for a probe, however many commands fail
}

// errRedisDown is the error of a rejected command.
var errRedisDown = errors.New("redis is unavailable")

func newBreaker() *breaker { return &breaker{probeWanted: make(chan struct{}, 1)} }

// DialHook is not needed.
func (b *breaker) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook guards one command.
func (b *breaker) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if b.open.Load() {
			cmd.SetErr(errRedisDown)
			return errRedisDown
		}
		err := next(ctx, cmd)
		b.requestProbe(err)
		return err
	}
}

// ProcessPipelineHook guards a pipeline as one command.
func (b *breaker) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if b.open.Load() {
			for _, cmd := range cmds {
				cmd.SetErr(errRedisDown)
			}
			return errRedisDown
		}
		err := next(ctx, cmds)
		b.requestProbe(err)
		return err
	}
}

// requestProbe starts a probe if err means that Redis may be unavailable.
func (b *breaker) requestProbe(err error) {
	if unavailable(err) == nil {
		return
	}
	select {
	case b.probeWanted <- struct{}{}:
	default: // one is requested already
	}
}

// unavailable returns err if it means that Redis cannot serve, and nil if it is a reply (nothing found, an unknown
// script, a wrong type) or a cancellation.
func unavailable(err error) error {
	if err == nil || errors.Is(err, redis.Nil) || errors.Is(err, context.Canceled) {
		return nil
	}
	var reply redis.Error
	if !errors.As(err, &reply) {
		return err
	}
	for _, code := range []string{
		"NOAUTH", "WRONGPASS", "NOPERM", "ERR max number of clients", // hubgate is rejected
		"LOADING", "BUSY ", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", // every client is rejected
		"READONLY", "OOM", "MISCONF", "NOREPLICAS", // writes are rejected
	} {
		if strings.HasPrefix(reply.Error(), code) {
			return err
		}
	}
	return nil
}
