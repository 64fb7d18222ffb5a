// Package trace follows requests through the gateway and sends what it saw to an OpenTelemetry collector, by OTLP over HTTP. A collector
// that is slow or away costs spans, never a request: the queue is bounded, and what does not fit is dropped.
//
// Spans hold names from closed sets: rules, endpoints, dependencies, operations. Never a path, a query, an address, a user or the text
// of an error, for whoever reads traces is not whoever may read the sessions.
//
// The build tag notrace leaves OpenTelemetry out of the binary; New then fails.
package trace

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// Config says where spans go.
type Config struct {
	Endpoint   string  // the collector's URL; /v1/traces is appended when it does not end so
	Sample     float64 // share of the traces begun here that are recorded, 0 to 1; a trace that a proxy began keeps the proxy's choice
	Version    string  // of this process
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Kind is the side of a call that a span shows.
type Kind int

// The kinds of spans.
const (
	Internal Kind = iota // work of our own
	Server               // a request that we answer
	Client               // a call that we make
)

// Parents are what a request's span belongs to, as W3C traceparent values. What is malformed counts as absent.
type Parents struct {
	Traceparent string // the span is its child; "" begins a new trace
	Tracestate  string // goes with Traceparent
	Link        string // a second trace that this request is part of
}

// tracesPath is where OTLP/HTTP takes spans.
const tracesPath = "/v1/traces"

// exporting counts what became of spans. Only a process that traces has these metrics.
type exporting struct {
	spans *prometheus.CounterVec
}

func newExporting(reg prometheus.Registerer) *exporting {
	m := &exporting{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hubgate_tracing_spans_total", Help: "Spans by what became of them: sent to the collector, refused by it or lost on the way, dropped because the queue was full.",
	}, []string{"result"})}
	reg.MustRegister(m.spans)
	for _, result := range []string{"sent", "failed", "dropped"} {
		m.spans.WithLabelValues(result)
	}
	return m
}
