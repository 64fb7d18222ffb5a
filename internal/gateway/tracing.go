package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
	"github.com/hubgate/hubgate/internal/trace"
)

// newTracer returns nil if tracing is off.
func newTracer(cfg config.TracingConfig, log *slog.Logger, reg prometheus.Registerer) (*trace.Tracer, error) {
	return trace.New(trace.Config{
		Endpoint: cfg.Endpoint, Sample: float64(cfg.Sample), Version: buildinfo.Read().Version,
		Log: logging.Component(log, "tracing"), Registerer: reg,
	})
}

// closeTracer sends the spans that wait. An unavailable collector delays the end of the process by 2 seconds at most.
func closeTracer(t *trace.Tracer) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = t.Close(ctx) // spans that are not sent in time are counted as dropped
}

// traced begins the span of each request. Without tracing it returns next itself.
func traced(tracer *trace.Tracer, gen *generation, next http.Handler) http.Handler {
	if tracer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		facts := inbound.Of(r)
		ctx, span := tracer.Request(r.Context(), middleware.RuleNone, parentsOf(gen, r, facts))
		defer span.End()
		facts.Traceparent, facts.TraceID = trace.Headers(ctx)["traceparent"], trace.RecordedID(ctx)
		rec := &middleware.Recorder{ResponseWriter: w}
		defer func() { setAttributes(span, r, rec.Code()) }()
		next.ServeHTTP(rec, r.WithContext(ctx))
	})
}

// parentsOf returns the trace that a request belongs to. A traceparent counts only from a trusted proxy, because a
// client could join its requests to the traces of others or have all of them recorded. The callback of a login joins
// the trace of the request that started the login, which the login's sealed cookie contains.
func parentsOf(gen *generation, r *http.Request, facts *inbound.Facts) trace.Parents {
	var parents trace.Parents
	if values := r.Header.Values("Traceparent"); facts.Trusted && len(values) == 1 {
		parents.Traceparent = values[0]
		parents.Tracestate = strings.Join(r.Header.Values("Tracestate"), ",")
	}
	if r.URL.Path == gen.cfg.Auth.Prefix+"/callback" {
		if begun := gen.auth.Traceparent(r); begun != "" {
			parents = trace.Parents{Traceparent: begun, Link: parents.Traceparent}
		}
	}
	return parents
}

// setAttributes describes a response in the terms of the log and the metrics. No attribute contains what a client sent.
func setAttributes(span *trace.Span, r *http.Request, status int) {
	facts := inbound.Of(r)
	o := facts.Outcome
	name := o.Rule
	if o.Endpoint != "" {
		name = o.Endpoint
	}
	span.Name(name)
	span.Set(
		slog.String("http.request.method", trace.Method(r.Method)), slog.String("http.route", name),
		slog.Int("http.response.status_code", status),
		slog.String("network.protocol.version", strconv.Itoa(r.ProtoMajor)+"."+strconv.Itoa(r.ProtoMinor)),
		slog.String("hubgate.decision", o.Decision), slog.String("hubgate.reason", o.Reason),
		slog.String("hubgate.request_id", facts.ID),
	)
	if facts.Site != nil {
		span.Set(slog.String("url.scheme", facts.Site.Scheme),
			slog.String("server.address", inbound.HostOnly(facts.Site.Host)))
	}
	if status >= http.StatusInternalServerError {
		span.Fail(strconv.Itoa(status))
	}
}
