//go:build !notrace

package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/go-logr/logr"
	global "go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"

	"github.com/hubgate/hubgate/internal/dependency"
)

// Available tells that this binary can trace.
const Available = true

// Tracer makes spans. A nil Tracer makes none and costs nothing.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   otel.Tracer
	out      *quiet
}

// Bounds of the way to the collector. A batch that it does not take within exportTime is given up, so that the queue moves on.
const (
	queueSize  = 2048
	batchTime  = time.Second
	exportTime = 10 * time.Second
	retryTime  = 8 * time.Second
	maxAnswer  = 64 << 10
)

// New makes a Tracer; it dials nothing. An empty endpoint gives nil: no tracing.
func New(cfg Config) (*Tracer, error) {
	if cfg.Endpoint == "" {
		return nil, nil
	}
	address, err := url.Parse(cfg.Endpoint)
	if err != nil || address.Host == "" {
		return nil, errors.New("tracing: endpoint is no URL")
	}
	if !strings.HasSuffix(address.Path, tracesPath) {
		address.Path = strings.TrimSuffix(address.Path, "/") + tracesPath
	}
	exporter, err := otlptracehttp.New(context.Background(),
		otlptracehttp.WithEndpointURL(address.String()),
		// Like every client of ours it obeys no proxy of the environment and follows no redirect.
		otlptracehttp.WithHTTPClient(dependency.NewClient(dependency.ClientConfig{Timeout: exportTime, MaxBody: maxAnswer})),
		otlptracehttp.WithTimeout(exportTime),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: 4 * time.Second, MaxElapsedTime: retryTime}),
	)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	// OpenTelemetry logs to globals, which would write to stderr themselves.
	global.SetErrorHandler(global.ErrorHandlerFunc(func(err error) {
		cfg.Log.Debug("tracing", "error", clip(err.Error()))
	}))
	global.SetLogger(logr.FromSlogHandler(cfg.Log.Handler()))
	out := &quiet{SpanExporter: exporter, log: cfg.Log, metrics: newExporting(cfg.Registerer)}
	queue := sdk.NewBatchSpanProcessor(out, sdk.WithMaxQueueSize(queueSize), sdk.WithBatchTimeout(batchTime), sdk.WithExportTimeout(exportTime))
	provider := sdk.NewTracerProvider(
		sdk.WithSpanProcessor(&bounded{queue, out}),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(cfg.Sample))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "hubgate"), attribute.String("service.version", cfg.Version))),
	)
	return &Tracer{provider, provider.Tracer("github.com/hubgate/hubgate"), out}, nil
}

// Close sends what is queued, as long as ctx lasts.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Request begins the span of a request.
func (t *Tracer) Request(ctx context.Context, name string, from Parents) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	options := []otel.SpanStartOption{otel.WithSpanKind(otel.SpanKindServer)}
	if parent := parse(from.Traceparent, from.Tracestate); parent.IsValid() {
		ctx = otel.ContextWithRemoteSpanContext(ctx, parent)
	}
	if link := parse(from.Link, ""); link.IsValid() {
		options = append(options, otel.WithLinks(otel.Link{SpanContext: link}))
	}
	ctx, span := t.tracer.Start(ctx, name, options...)
	return ctx, &Span{span}
}

// Start begins a span below the one that ctx holds.
func (t *Tracer) Start(ctx context.Context, name string, kind Kind) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	kinds := map[Kind]otel.SpanKind{Internal: otel.SpanKindInternal, Server: otel.SpanKindServer, Client: otel.SpanKindClient}
	ctx, span := t.tracer.Start(ctx, name, otel.WithSpanKind(kinds[kind]))
	return ctx, &Span{span}
}

// Span is one piece of work. A nil Span takes everything and does nothing.
type Span struct{ span otel.Span }

// Name renames the span: a request's rule is known only when it was judged.
func (s *Span) Name(name string) {
	if s != nil {
		s.span.SetName(name)
	}
}

// Set adds attributes. The caller answers for their values: words of closed sets and numbers.
func (s *Span) Set(attrs ...slog.Attr) {
	if s == nil {
		return
	}
	for _, a := range attrs {
		switch a.Value.Kind() {
		case slog.KindInt64:
			s.span.SetAttributes(attribute.Int64(a.Key, a.Value.Int64()))
		case slog.KindBool:
			s.span.SetAttributes(attribute.Bool(a.Key, a.Value.Bool()))
		default:
			s.span.SetAttributes(attribute.String(a.Key, a.Value.String()))
		}
	}
}

// Fail marks the span as failed by a word of a closed set, never by an error's text.
func (s *Span) Fail(word string) {
	if s != nil {
		s.span.SetStatus(codes.Error, word)
		s.span.SetAttributes(attribute.String("error.type", word))
	}
}

// End ends the span.
func (s *Span) End() {
	if s != nil {
		s.span.End()
	}
}

func parse(traceparent, tracestate string) otel.SpanContext {
	if traceparent == "" {
		return otel.SpanContext{}
	}
	carrier := propagation.MapCarrier{"traceparent": traceparent, "tracestate": tracestate}
	return otel.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}

// ID is the id of the trace that ctx belongs to, 32 hex digits; "" when there is none.
func ID(ctx context.Context) string {
	if c := otel.SpanContextFromContext(ctx); c.IsValid() {
		return c.TraceID().String()
	}
	return ""
}

// RecordedID is ID when the trace is recorded: an exemplar must lead to something.
func RecordedID(ctx context.Context) string {
	if c := otel.SpanContextFromContext(ctx); c.IsSampled() {
		return c.TraceID().String()
	}
	return ""
}

// Headers are the W3C headers that continue ctx's trace elsewhere; empty when there is none.
func Headers(ctx context.Context) map[string]string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier
}
