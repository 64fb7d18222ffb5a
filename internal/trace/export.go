//go:build !notrace

package trace

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/hubgate/hubgate/internal/setting"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// exporter sends batches of spans to the collector. It logs once that the collector is unavailable, and once that it is
// back, instead of passing every error to OpenTelemetry's global handler.
type exporter struct {
	sdk.SpanExporter
	log     *slog.Logger
	metrics *spanMetrics
	waiting atomic.Int64 // spans that have ended and are queued
	down    atomic.Bool
}

// ExportSpans sends a batch and counts its spans by result.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	e.waiting.Add(-int64(len(spans)))
	err := e.SpanExporter.ExportSpans(ctx, spans)
	result := "sent"
	if err != nil {
		result = "failed"
	}
	e.metrics.spans.WithLabelValues(result).Add(float64(len(spans)))
	switch {
	case err != nil && !e.down.Swap(true):
		e.log.Warn("the trace collector is unavailable; spans are lost until it is back, requests are not affected",
			"error", clip(err.Error()))
	case err == nil && e.down.Swap(false):
		e.log.Info("the trace collector is available again")
	}
	return nil
}

// clip limits the part of a collector's response that is logged.
func clip(text string) string { return setting.Truncate(text, 300) }

// boundedQueue drops and counts spans if the queue is full, because OpenTelemetry does not report how many it drops.
type boundedQueue struct {
	sdk.SpanProcessor
	out *exporter
}

// OnEnd queues a sampled span, or drops it if the queue is full.
func (b *boundedQueue) OnEnd(s sdk.ReadOnlySpan) {
	switch {
	case !s.SpanContext().IsSampled():
	case b.out.waiting.Add(1) > queueSize:
		b.out.waiting.Add(-1)
		b.out.metrics.spans.WithLabelValues("dropped").Inc()
	default:
		b.SpanProcessor.OnEnd(s)
	}
}
