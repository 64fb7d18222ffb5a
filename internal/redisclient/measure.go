package redisclient

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/trace"
)

// measureHook reports each command.
type measureHook struct {
	observe func(ctx context.Context, err error, took time.Duration)
	tracer  *trace.Tracer
}

func (h measureHook) measure(ctx context.Context, command string, ask func(context.Context) error) error {
	ctx, span := redisSpan(ctx, h.tracer, command)
	defer span.End()
	start := time.Now()
	err := ask(ctx)
	cause := fault(err)
	if cause != nil && ctx.Err() != nil { // go-redis reports the caller's deadline as an i/o timeout
		cause = context.Canceled
	}
	h.observe(ctx, cause, time.Since(start))
	if cause != nil {
		span.Fail(string(dependency.ResultOf(cause)))
	}
	return err
}

// DialHook is not needed.
func (h measureHook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook measures one command.
func (h measureHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h.measure(ctx, cmd.Name(), func(ctx context.Context) error { return next(ctx, cmd) })
	}
}

// ProcessPipelineHook measures a pipeline as one.
func (h measureHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return h.measure(ctx, "pipeline", func(ctx context.Context) error { return next(ctx, cmds) })
	}
}

// redisSpan shows one command of a traced piece of work: its name, never its keys and values. What the gateway asks Redis by itself,
// once a second and more, is in no trace.
func redisSpan(ctx context.Context, tracer *trace.Tracer, command string) (context.Context, *trace.Span) {
	if tracer == nil || trace.ID(ctx) == "" {
		return ctx, nil
	}
	command = strings.ToUpper(command)
	ctx, span := tracer.Start(ctx, "redis "+command, trace.Client)
	span.Set(slog.String("hubgate.dependency", string(dependency.Redis)), slog.String("db.system.name", "redis"), slog.String("db.operation.name", command))
	return ctx, span
}
