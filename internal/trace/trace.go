package trace

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// Config configures a Tracer.
type Config struct {
	Endpoint string // the collector's URL; /v1/traces is appended if missing
	// Sample is the share of recorded traces, 0 to 1, of those that start here. Other traces keep the proxy's decision.
	Sample     float64
	Version    string // of hubgate
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Kind is the role of a span in a call.
type Kind int

// The kinds of spans.
const (
	Internal Kind = iota // work inside hubgate
	Server               // a request to hubgate
	Client               // a call by hubgate
)

// Parents are the traces that a request belongs to, as W3C traceparent values. Malformed values are ignored.
type Parents struct {
	Traceparent string // parent of the span; "" starts a new trace
	Tracestate  string // belongs to Traceparent
	Link        string // another trace to link to
}

// tracesPath is the path for spans in OTLP/HTTP.
const tracesPath = "/v1/traces"

// spanMetrics counts spans by result. The metrics exist only if tracing is enabled.
type spanMetrics struct {
	spans *prometheus.CounterVec
}

func newSpanMetrics(reg prometheus.Registerer) *spanMetrics {
	m := &spanMetrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hubgate_tracing_spans_total",
		Help: "Spans by result: sent to the collector, failed to send, or dropped because the queue was full.",
	}, []string{"result"})}
	reg.MustRegister(m.spans)
	for _, result := range []string{"sent", "failed", "dropped"} {
		m.spans.WithLabelValues(result)
	}
	return m
}
