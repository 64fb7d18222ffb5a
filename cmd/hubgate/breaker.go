package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
)

// breaker answers at once while Redis is away, so that requests do not queue up behind time-outs, and lets one command a moment try
// whether it is back. It is a hook because only single clients have a Limiter.
type breaker struct {
	two *gobreaker.TwoStepCircuitBreaker[struct{}]
}

const (
	breakerFaults = 3 // in a row
	breakerRest   = 500 * time.Millisecond
)

func newBreaker(log *slog.Logger) *breaker {
	return &breaker{gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name: "redis", MaxRequests: 1, Timeout: breakerRest,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerFaults },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch {
			case from == gobreaker.StateClosed:
				log.Warn("redis is away; known sessions go on within session.outage_grace")
			case to == gobreaker.StateClosed:
				log.Info("redis is back")
			}
		},
	})}
}

// admittedKey marks what a command that was let through sends on its own behalf: the greeting of a new connection passes the hooks
// as well, and while one command tries whether Redis is back, no second is let through. It would never be back.
type admittedKey struct{}

func admitted(ctx context.Context) bool { return ctx.Value(admittedKey{}) != nil }

// open tells that Redis is away.
func (b *breaker) open() bool { return b.two.State() != gobreaker.StateClosed }

// DialHook is not needed.
func (b *breaker) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook guards one command.
func (b *breaker) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if admitted(ctx) {
			return next(ctx, cmd)
		}
		done, err := b.two.Allow()
		if err != nil {
			cmd.SetErr(err)
			return err
		}
		err = next(context.WithValue(ctx, admittedKey{}, true), cmd)
		done(fault(err))
		return err
	}
}

// ProcessPipelineHook guards a pipeline as one command.
func (b *breaker) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if admitted(ctx) {
			return next(ctx, cmds)
		}
		done, err := b.two.Allow()
		if err != nil {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
			return err
		}
		err = next(context.WithValue(ctx, admittedKey{}, true), cmds)
		done(fault(err))
		return err
	}
}

// fault tells an error that means Redis cannot serve from one that is an answer: nothing found, a script unknown, a wrong type.
func fault(err error) error {
	if err == nil || errors.Is(err, redis.Nil) || errors.Is(err, context.Canceled) {
		return nil
	}
	var answer redis.Error
	if !errors.As(err, &answer) {
		return err
	}
	for _, word := range []string{"LOADING", "CLUSTERDOWN", "READONLY", "MASTERDOWN", "TRYAGAIN", "NOAUTH", "WRONGPASS", "NOPERM"} {
		if strings.HasPrefix(answer.Error(), word) {
			return err
		}
	}
	return nil
}
