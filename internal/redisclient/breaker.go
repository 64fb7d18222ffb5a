package redisclient

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// breaker refuses commands at once while Redis is unavailable, so that requests do not queue behind time-outs. Only
// hubgate's own probe opens and closes it: a command may fail for a reason that its visitor chose (its deadline, a
// cancellation, a key of the wrong type), so failing commands start a probe and decide nothing. It is a hook because
// only single clients have a Limiter.
type breaker struct {
	opened atomic.Bool
	wake   chan struct{} // holds one request for a probe, however many commands fail
}

// errRedisDown is what a refused command returns.
var errRedisDown = errors.New("redis is unavailable")

func newBreaker() *breaker { return &breaker{wake: make(chan struct{}, 1)} }

// open reports whether commands are refused.
func (b *breaker) open() bool { return b.opened.Load() }

// DialHook is not needed.
func (b *breaker) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook guards one command.
func (b *breaker) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if b.open() {
			cmd.SetErr(errRedisDown)
			return errRedisDown
		}
		err := next(ctx, cmd)
		b.suspect(err)
		return err
	}
}

// ProcessPipelineHook guards a pipeline as one command.
func (b *breaker) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if b.open() {
			for _, cmd := range cmds {
				cmd.SetErr(errRedisDown)
			}
			return errRedisDown
		}
		err := next(ctx, cmds)
		b.suspect(err)
		return err
	}
}

// suspect asks for a probe after a command failed.
func (b *breaker) suspect(err error) {
	if fault(err) == nil {
		return
	}
	select {
	case b.wake <- struct{}{}:
	default: // one is asked for already
	}
}

// fault returns err when it means that Redis cannot serve, and nil when it is an answer (nothing found, a script
// unknown, a wrong type) or a cancellation.
func fault(err error) error {
	if err == nil || errors.Is(err, redis.Nil) || errors.Is(err, context.Canceled) {
		return nil
	}
	var answer redis.Error
	if !errors.As(err, &answer) {
		return err
	}
	for _, word := range []string{
		"NOAUTH", "WRONGPASS", "NOPERM", "ERR max number of clients", // to us
		"LOADING", "BUSY ", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", // to anybody
		"READONLY", "OOM", "MISCONF", "NOREPLICAS", // no writes
	} {
		if strings.HasPrefix(answer.Error(), word) {
			return err
		}
	}
	return nil
}
