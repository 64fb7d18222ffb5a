//go:build !notrace

package trace

import (
	"context"
	"log/slog"
	"sync/atomic"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// quiet hands batches to the exporter and keeps its errors away from OpenTelemetry's global handler, which would print them between
// the log's lines: the log says once that the collector is away, and once that it is back.
type quiet struct {
	sdk.SpanExporter
	log     *slog.Logger
	metrics *exporting
	waiting atomic.Int64 // spans that ended and were not handed over yet
	away    atomic.Bool
}

// ExportSpans sends a batch and counts what became of it.
func (q *quiet) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	q.waiting.Add(-int64(len(spans)))
	err := q.SpanExporter.ExportSpans(ctx, spans)
	result := "sent"
	if err != nil {
		result = "failed"
	}
	q.metrics.spans.WithLabelValues(result).Add(float64(len(spans)))
	switch {
	case err != nil && !q.away.Swap(true):
		q.log.Warn("the collector takes no traces; spans are lost until it does, requests are not touched", "error", clip(err.Error()))
	case err == nil && q.away.Swap(false):
		q.log.Info("the collector takes traces again")
	}
	return nil
}

// clip bounds what a collector's answer can put into the log.
func clip(text string) string { return text[:min(len(text), 300)] }

// bounded drops spans when the queue is full, before OpenTelemetry does: it would not tell how many.
type bounded struct {
	sdk.SpanProcessor
	out *quiet
}

// OnEnd queues a span, or drops it.
func (b *bounded) OnEnd(s sdk.ReadOnlySpan) {
	switch {
	case !s.SpanContext().IsSampled():
	case b.out.waiting.Add(1) > queueSize:
		b.out.waiting.Add(-1)
		b.out.metrics.spans.WithLabelValues("dropped").Inc()
	default:
		b.SpanProcessor.OnEnd(s)
	}
}
