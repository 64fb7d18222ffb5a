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

// Available reports whether this binary supports tracing.
const Available = true

// Tracer creates spans. A nil Tracer creates none and allocates nothing.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   otel.Tracer
	out      *exporter
}

// Limits of the export. A batch that the collector does not accept within exportTime is lost, so that the queue does
// not block.
const (
	queueSize   = 2048
	batchTime   = time.Second
	exportTime  = 10 * time.Second
	retryTime   = 8 * time.Second
	maxResponse = 64 << 10
)

// New returns a Tracer, or nil without an endpoint. It does not connect to the collector.
func New(cfg Config) (*Tracer, error) {
	if cfg.Endpoint == "" {
		return nil, nil
	}
	address, err := url.Parse(cfg.Endpoint)
	if err != nil || address.Host == "" {
		return nil, errors.New("tracing: endpoint: not a URL")
	}
	if !strings.HasSuffix(address.Path, tracesPath) {
		address.Path = strings.TrimSuffix(address.Path, "/") + tracesPath
	}
	client, err := otlptracehttp.New(context.Background(),
		otlptracehttp.WithEndpointURL(address.String()),
		// Like hubgate's other clients, it ignores proxies in the environment and follows no redirects.
		otlptracehttp.WithHTTPClient(dependency.NewClient(
			dependency.ClientConfig{Timeout: exportTime, MaxBody: maxResponse})),
		otlptracehttp.WithTimeout(exportTime),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: time.Second,
			MaxInterval: 4 * time.Second, MaxElapsedTime: retryTime}),
	)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	// OpenTelemetry reports to global handlers, which write to stderr by default.
	global.SetErrorHandler(global.ErrorHandlerFunc(func(err error) {
		cfg.Log.Debug("tracing", "error", clip(err.Error()))
	}))
	global.SetLogger(logr.FromSlogHandler(cfg.Log.Handler()))
	out := &exporter{SpanExporter: client, log: cfg.Log, metrics: newSpanMetrics(cfg.Registerer)}
	queue := sdk.NewBatchSpanProcessor(out, sdk.WithMaxQueueSize(queueSize), sdk.WithBatchTimeout(batchTime),
		sdk.WithExportTimeout(exportTime))
	provider := sdk.NewTracerProvider(
		sdk.WithSpanProcessor(&boundedQueue{queue, out}),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(cfg.Sample))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "hubgate"),
			attribute.String("service.version", cfg.Version))),
	)
	return &Tracer{provider, provider.Tracer("github.com/hubgate/hubgate"), out}, nil
}

// Close sends the queued spans. It returns when ctx is done at the latest.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Request starts the span of a request.
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

// Start starts a child of the span in ctx.
func (t *Tracer) Start(ctx context.Context, name string, kind Kind) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	kinds := map[Kind]otel.SpanKind{
		Internal: otel.SpanKindInternal, Server: otel.SpanKindServer, Client: otel.SpanKindClient,
	}
	ctx, span := t.tracer.Start(ctx, name, otel.WithSpanKind(kinds[kind]))
	return ctx, &Span{span}
}

// Span is one operation of a trace. The methods of a nil Span do nothing.
type Span struct{ span otel.Span }

// Name renames the span, because the rule of a request is known only after the decision.
func (s *Span) Name(name string) {
	if s != nil {
		s.span.SetName(name)
	}
}

// Set adds attributes. Their values must be numbers or words from closed sets.
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

// Fail marks the span as failed. word must come from a closed set, never from an error's text.
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

// ID returns the id of the trace in ctx, 32 hex digits, or "" without a trace.
func ID(ctx context.Context) string {
	if c := otel.SpanContextFromContext(ctx); c.IsValid() {
		return c.TraceID().String()
	}
	return ""
}

// RecordedID returns ID if the trace is recorded, otherwise "". Exemplars must refer to recorded traces.
func RecordedID(ctx context.Context) string {
	if c := otel.SpanContextFromContext(ctx); c.IsSampled() {
		return c.TraceID().String()
	}
	return ""
}

// Headers returns the W3C Trace Context headers that continue the trace in ctx, none without a trace.
func Headers(ctx context.Context) map[string]string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier
}
