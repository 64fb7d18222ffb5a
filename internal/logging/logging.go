package logging

import (
	"context"
	"log/slog"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/trace"
)

// schemaVersion is the version of the contract in docs/logs.md. Within a version fields are added, never renamed or
// dropped.
const schemaVersion = 1

// NewLogger returns a logger to w. It sets level, which the caller may change later. When lines were dropped, it logs
// how many as soon as lines can be written again.
func NewLogger(w *Writer, cfg Config, level *slog.LevelVar, emails *EmailPolicy) *slog.Logger {
	_ = level.UnmarshalText([]byte(cfg.Level)) // validated when the file was loaded
	var lines slog.Handler = &jsonLines{out: w, level: level, emails: emails}
	if cfg.Format == "text" {
		lines = newTextLines(w, level, emails)
	}
	log := slog.New(correlated{lines}).With("schema_version", schemaVersion)
	w.onLoss(func(n lineCounts) {
		slog.New(anyLevel{Component(log, noticeComponent).Handler()}).Warn("log lines were lost",
			"access", n.access, "application", n.application, "audit", n.audit)
	})
	return log
}

// Component returns a logger for one part of hubgate. The component also decides the class of a line.
func Component(log *slog.Logger, name string) *slog.Logger { return log.With("component", name) }

// AuditLog returns a logger for the actions of visitors and operators. Its lines are written at any log.level.
func AuditLog(log *slog.Logger) *slog.Logger {
	return slog.New(anyLevel{Component(log, auditComponent).Handler()})
}

// LoginFailureLog returns a logger for audit lines that any visitor can cause at will. They count as application lines
// when lines are dropped, so that they cannot displace other audit lines or make the audit log incomplete.
func LoginFailureLog(log *slog.Logger) *slog.Logger {
	return slog.New(anyLevel{log.With("component", classed{auditComponent, classApplication}).Handler()})
}

// Capped truncates text from a client or another server to the maximum length of a field.
func Capped(text string) string { return setting.Truncate(text, 1024) }

// correlated adds the ids of a request to its lines: the request's, and the trace's if there is one.
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

// WithAttrs keeps the wrapper.
func (c correlated) WithAttrs(attrs []slog.Attr) slog.Handler {
	return correlated{c.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the wrapper.
func (c correlated) WithGroup(name string) slog.Handler { return correlated{c.Handler.WithGroup(name)} }

// anyLevel writes lines of every level.
type anyLevel struct{ slog.Handler }

// Enabled returns true.
func (anyLevel) Enabled(context.Context, slog.Level) bool { return true }
