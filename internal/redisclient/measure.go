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

// measureHook measures and traces each command.
type measureHook struct {
	observe func(ctx context.Context, err error, took time.Duration)
	tracer  *trace.Tracer
}

func (h measureHook) measure(ctx context.Context, command string, run func(context.Context) error) error {
	ctx, span := startSpan(ctx, h.tracer, command)
	defer span.End()
	start := time.Now()
	err := run(ctx)
	cause := unavailable(err)
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

// ProcessPipelineHook measures a pipeline as one command.
func (h measureHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return h.measure(ctx, "pipeline", func(ctx context.Context) error { return next(ctx, cmds) })
	}
}

// startSpan begins the span of a command: its name, never its keys and values. A command outside a trace, such as those
// of the probe and the worker, has none.
func startSpan(ctx context.Context, tracer *trace.Tracer, command string) (context.Context, *trace.Span) {
	if tracer == nil || trace.ID(ctx) == "" {
		return ctx, nil
	}
	command = strings.ToUpper(command)
	ctx, span := tracer.Start(ctx, "redis "+command, trace.Client)
	span.Set(slog.String("hubgate.dependency", string(dependency.Redis)), slog.String("db.system.name", "redis"),
		slog.String("db.operation.name", command))
	return ctx, span
}
