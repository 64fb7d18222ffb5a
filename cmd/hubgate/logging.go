package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/trace"
)

// emailKey is the one attribute under which an e-mail may be logged; the policy of log.email is applied to it here and nowhere else.
const emailKey = "email"

// emailPolicy says how e-mails are logged: hash (an HMAC under a key of its own, so that lines of one person can be joined and
// nobody can be looked up), full, or none.
type emailPolicy struct {
	mode atomic.Pointer[string]
	ring atomic.Pointer[seal.Ring]
}

func (p *emailPolicy) attr(email string) slog.Attr {
	ring, mode := p.ring.Load(), p.mode.Load()
	switch {
	case mode != nil && *mode == "full":
		return slog.String(emailKey, email)
	case mode != nil && *mode == "hash" && ring != nil && email != "":
		return slog.String(emailKey, "hash:"+hex.EncodeToString(ring.MAC(seal.LogHash, []byte(email))[:8]))
	}
	return slog.Attr{}
}

// newLogger logs to w as the configuration asks. When lines were lost, it logs how many once it can.
func newLogger(w *logging.Writer, cfg LogConfig, level *slog.LevelVar, emails *emailPolicy) *slog.Logger {
	_ = level.UnmarshalText([]byte(cfg.Level)) // validated when the file was loaded
	var lines slog.Handler = &jsonLines{out: w, level: level, emails: emails}
	if cfg.Format == "text" {
		lines = newTextLines(w, level, emails)
	}
	log := slog.New(correlated{lines}).With("schema_version", logSchema)
	w.OnLoss(func(lost logging.Loss) {
		slog.New(always{component(log, logComponent).Handler()}).Warn("log lines were lost",
			"access", lost.Access, "application", lost.Application, "audit", lost.Audit)
	})
	return log
}

// logSchema is the version of what docs/logs.md says. Within a version fields are added, never renamed or dropped.
const logSchema = 1

// correlated gives every line of a request the ids that join it with the others: the request's, and the trace's when there is one.
type correlated struct{ slog.Handler }

// Handle adds the ids.
func (c correlated) Handle(ctx context.Context, line slog.Record) error {
	if id := inbound.From(ctx).ID; id != "" {
		line.AddAttrs(slog.String("request_id", id))
	}
	if id := trace.ID(ctx); id != "" {
		line.AddAttrs(slog.String("trace_id", id))
	}
	return c.Handler.Handle(ctx, line)
}

// always writes whatever the level: audit lines are no matter of verbosity.
type always struct{ slog.Handler }

// Enabled is true.
func (always) Enabled(context.Context, slog.Level) bool { return true }

// auditLog is where it is written down who did what.
func auditLog(log *slog.Logger) *slog.Logger {
	return slog.New(always{component(log, "audit").Handler()})
}

// loginFailureLog is for audit lines that any visitor can cause at will. They are application lines to the writer, so
// that they can neither push out the others nor make the audit log count as incomplete.
func loginFailureLog(log *slog.Logger) *slog.Logger {
	return slog.New(always{log.With("component", classed{"audit", logging.Application}).Handler()})
}

// WithAttrs keeps the wrapper.
func (c correlated) WithAttrs(attrs []slog.Attr) slog.Handler {
	return correlated{c.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the wrapper.
func (c correlated) WithGroup(name string) slog.Handler { return correlated{c.Handler.WithGroup(name)} }

// redisLog gives go-redis, which logs to a global, the process's own log.
type redisLog struct{ log *slog.Logger }

func (l redisLog) Printf(_ context.Context, format string, v ...any) {
	l.log.Debug("redis client", "message", capped(fmt.Sprintf(format, v...)))
}

func logRedis(log *slog.Logger) { redis.SetLogger(redisLog{component(log, "redis")}) }
