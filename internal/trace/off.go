//go:build notrace

package trace

import (
	"context"
	"errors"
	"log/slog"
)

// Available reports whether this binary supports tracing.
const Available = false

// Tracer is not used in this binary.
type Tracer struct{}

// Span is not used in this binary.
type Span struct{}

// New fails if an endpoint is configured.
func New(cfg Config) (*Tracer, error) {
	if cfg.Endpoint == "" {
		return nil, nil
	}
	return nil, errors.New("tracing: this binary was built without tracing support (build tag notrace)")
}

// Close does nothing.
func (t *Tracer) Close(context.Context) error { return nil }

// Request creates no span.
func (t *Tracer) Request(ctx context.Context, _ string, _ Parents) (context.Context, *Span) {
	return ctx, nil
}

// Start creates no span.
func (t *Tracer) Start(ctx context.Context, _ string, _ Kind) (context.Context, *Span) {
	return ctx, nil
}

// Name does nothing.
func (s *Span) Name(string) {}

// Set does nothing.
func (s *Span) Set(...slog.Attr) {}

// Fail does nothing.
func (s *Span) Fail(string) {}

// End does nothing.
func (s *Span) End() {}

// ID returns the empty string.
func ID(context.Context) string { return "" }

// RecordedID returns the empty string.
func RecordedID(context.Context) string { return "" }

// Headers returns no headers.
func Headers(context.Context) map[string]string { return nil }
