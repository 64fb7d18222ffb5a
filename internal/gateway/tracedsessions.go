package gateway

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/hubgate/hubgate/internal/trace"
	"github.com/hubgate/hubgate/session"
)

// tracedSessions runs each operation on sessions in a span.
type tracedSessions struct {
	*session.Manager
	tracer *trace.Tracer
}

// Load is Manager.Load in a span.
func (t tracedSessions) Load(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	return t.inSpan(r, "session load", func(r *http.Request) (*session.Session, error) { return t.Manager.Load(w, r) })
}

// Peek is Manager.Peek in a span.
func (t tracedSessions) Peek(r *http.Request) (*session.Session, error) {
	return t.inSpan(r, "session load", t.Manager.Peek)
}

// Start is Manager.Start in a span.
func (t tracedSessions) Start(w http.ResponseWriter, r *http.Request, s session.Session) (*session.Session, error) {
	return t.inSpan(r, "session start", func(r *http.Request) (*session.Session, error) {
		return t.Manager.Start(w, r, s)
	})
}

// End is Manager.End in a span.
func (t tracedSessions) End(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	return t.inSpan(r, "session end", func(r *http.Request) (*session.Session, error) { return t.Manager.End(w, r) })
}

// EndEverywhere is Manager.EndEverywhere in a span.
func (t tracedSessions) EndEverywhere(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	return t.inSpan(r, "session end", func(r *http.Request) (*session.Session, error) {
		return t.Manager.EndEverywhere(w, r)
	})
}

func (t tracedSessions) inSpan(
	r *http.Request, name string, run func(*http.Request) (*session.Session, error),
) (*session.Session, error) {
	if t.tracer == nil {
		return run(r)
	}
	ctx, span := t.tracer.Start(r.Context(), name, trace.Internal)
	defer span.End()
	s, err := run(r.WithContext(ctx))
	switch {
	case err == nil:
		span.Set(slog.String("hubgate.session", "found"))
	case errors.Is(err, session.ErrNoSession):
		span.Set(slog.String("hubgate.session", "none"))
	default:
		span.Fail("store")
	}
	return s, err
}
