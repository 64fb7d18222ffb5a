package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
	"github.com/hubgate/hubgate/internal/trace"
	"github.com/hubgate/hubgate/session"
)

func (g *gateway) newTracer(cfg config.TracingConfig) (*trace.Tracer, error) {
	return trace.New(trace.Config{
		Endpoint: cfg.Endpoint, Sample: float64(cfg.Sample), Version: buildinfo.Read().Version,
		Log: logging.Component(g.log, "tracing"), Registerer: g.registry,
	})
}

// flushTime is how long an ending process waits for the collector: an absent one must not hold up a rollout.
const flushTime = 2 * time.Second

func (g *gateway) flushTraces() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	_ = g.tracer.Close(ctx) // what the collector does not take in time is lost, and was counted
}

// traced begins the span of each request. Without tracing it is not there at all.
func (g *gateway) traced(gen *generation, next http.Handler) http.Handler {
	if g.tracer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		facts := inbound.Of(r)
		ctx, span := g.tracer.Request(r.Context(), middleware.RuleNone, parents(gen, r, facts))
		defer span.End()
		facts.Traceparent, facts.TraceID = trace.Headers(ctx)["traceparent"], trace.RecordedID(ctx)
		rec := &middleware.Recorder{ResponseWriter: w}
		defer func() { describe(span, r, rec.Code()) }()
		next.ServeHTTP(rec, r.WithContext(ctx))
	})
}

// parents says which trace a request belongs to. A stranger's traceparent is not looked at: it could tie its requests to other
// people's, or have everything recorded (the same trust as X-Forwarded-For). The callback of a login joins the trace of the request
// that began the login, which its sealed cookie has kept.
func parents(gen *generation, r *http.Request, facts *inbound.Facts) trace.Parents {
	var from trace.Parents
	if values := r.Header.Values("Traceparent"); facts.Trusted && len(values) == 1 {
		from = trace.Parents{Traceparent: values[0], Tracestate: strings.Join(r.Header.Values("Tracestate"), ",")}
	}
	if r.URL.Path == gen.cfg.Auth.Prefix+"/callback" {
		if begun := gen.auth.Traceparent(r); begun != "" {
			from = trace.Parents{Traceparent: begun, Link: from.Traceparent}
		}
	}
	return from
}

// describe says how a request was answered, in the words of the log and the metrics. What a client wrote is in none of them.
func describe(span *trace.Span, r *http.Request, status int) {
	facts := inbound.Of(r)
	o := facts.Outcome
	name := o.Rule
	if o.Endpoint != "" {
		name = o.Endpoint
	}
	span.Name(name)
	span.Set(slog.String("http.request.method", trace.Method(r.Method)), slog.String("http.route", name), slog.Int("http.response.status_code", status),
		slog.String("network.protocol.version", strconv.Itoa(r.ProtoMajor)+"."+strconv.Itoa(r.ProtoMinor)),
		slog.String("hubgate.decision", o.Decision), slog.String("hubgate.reason", o.Reason), slog.String("hubgate.request_id", facts.ID))
	if facts.Site != nil {
		span.Set(slog.String("url.scheme", facts.Site.Scheme), slog.String("server.address", inbound.HostOnly(facts.Site.Host)))
	}
	if status >= http.StatusInternalServerError {
		span.Fail(strconv.Itoa(status))
	}
}

// tracedSessions shows what sessions cost a request.
type tracedSessions struct {
	*session.Manager
	tracer *trace.Tracer
}

func (t tracedSessions) span(r *http.Request, name string, work func(*http.Request) (*session.Session, error)) (*session.Session, error) {
	if t.tracer == nil {
		return work(r)
	}
	ctx, span := t.tracer.Start(r.Context(), name, trace.Internal)
	defer span.End()
	s, err := work(r.WithContext(ctx))
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

// Load is the Manager's, in a span.
func (t tracedSessions) Load(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	return t.span(r, "session load", func(r *http.Request) (*session.Session, error) { return t.Manager.Load(w, r) })
}

// Peek is the Manager's, in a span.
func (t tracedSessions) Peek(r *http.Request) (*session.Session, error) {
	return t.span(r, "session load", t.Manager.Peek)
}

// Start is the Manager's, in a span.
func (t tracedSessions) Start(w http.ResponseWriter, r *http.Request, s session.Session) (*session.Session, error) {
	return t.span(r, "session start", func(r *http.Request) (*session.Session, error) { return t.Manager.Start(w, r, s) })
}

// End is the Manager's, in a span.
func (t tracedSessions) End(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	return t.span(r, "session end", func(r *http.Request) (*session.Session, error) { return t.Manager.End(w, r) })
}

// EndEverywhere is the Manager's, in a span.
func (t tracedSessions) EndEverywhere(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	return t.span(r, "session end", func(r *http.Request) (*session.Session, error) { return t.Manager.EndEverywhere(w, r) })
}
