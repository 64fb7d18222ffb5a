package logging

import (
	"context"
	"encoding/hex"
	"log/slog"
	"sync/atomic"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/trace"
)

// EmailKey is the one attribute under which an e-mail may be logged; the policy of log.email is applied to it here and nowhere else.
const EmailKey = "email"

// EmailPolicy says how e-mails are logged: hash (an HMAC under a key of its own, so that lines of one person can be joined and
// nobody can be looked up), full, or none.
type EmailPolicy struct {
	Mode atomic.Pointer[string]
	Ring atomic.Pointer[seal.Ring]
}

func (p *EmailPolicy) attr(email string) slog.Attr {
	ring, mode := p.Ring.Load(), p.Mode.Load()
	switch {
	case mode != nil && *mode == "full":
		return slog.String(EmailKey, email)
	case mode != nil && *mode == "hash" && ring != nil && email != "":
		return slog.String(EmailKey, "hash:"+hex.EncodeToString(ring.MAC(seal.LogHash, []byte(email))[:8]))
	}
	return slog.Attr{}
}

// NewLogger logs to w as the configuration asks. When lines were lost, it logs how many once it can.
func NewLogger(w *Writer, cfg Config, level *slog.LevelVar, emails *EmailPolicy) *slog.Logger {
	_ = level.UnmarshalText([]byte(cfg.Level)) // validated when the file was loaded
	var lines slog.Handler = &jsonLines{out: w, level: level, emails: emails}
	if cfg.Format == "text" {
		lines = newTextLines(w, level, emails)
	}
	log := slog.New(correlated{lines}).With("schema_version", logSchema)
	w.OnLoss(func(lost Loss) {
		slog.New(always{Component(log, logComponent).Handler()}).Warn("log lines were lost",
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

// AuditLog is where it is written down who did what.
func AuditLog(log *slog.Logger) *slog.Logger {
	return slog.New(always{Component(log, "audit").Handler()})
}

// LoginFailureLog is for audit lines that any visitor can cause at will. They are application lines to the writer, so
// that they can neither push out the others nor make the audit log count as incomplete.
func LoginFailureLog(log *slog.Logger) *slog.Logger {
	return slog.New(always{log.With("component", classed{"audit", Application}).Handler()})
}

// WithAttrs keeps the wrapper.
func (c correlated) WithAttrs(attrs []slog.Attr) slog.Handler {
	return correlated{c.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the wrapper.
func (c correlated) WithGroup(name string) slog.Handler { return correlated{c.Handler.WithGroup(name)} }

// Capped truncates what a client or another server wrote to the size of a field.
func Capped(text string) string { return setting.Truncate(text, 1024) }

func Component(log *slog.Logger, name string) *slog.Logger { return log.With("component", name) }
