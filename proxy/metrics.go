package proxy

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/dependency"
)

// Metrics counts what the origin answers.
type Metrics struct {
	requests   *prometheus.CounterVec
	duration   prometheus.Histogram
	errors     *prometheus.CounterVec
	websockets prometheus.Gauge
	codes      [6]prometheus.Counter // of requests, by class
}

// NewMetrics registers the metrics with every child in place.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_upstream_requests_total", Help: "Answers of the origin, by class of status.",
		}, []string{"code"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hubgate_upstream_duration_seconds", Help: "Time until the origin's answer began.",
			Buckets:                     []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_upstream_errors_total", Help: "Requests that the origin did not answer, throttled or challenged.",
		}, []string{"reason"}),
		websockets: prometheus.NewGauge(prometheus.GaugeOpts{Name: "hubgate_websockets", Help: "Open WebSockets."}),
	}
	reg.MustRegister(m.requests, m.duration, m.errors, m.websockets)
	for class := 1; class < len(m.codes); class++ {
		m.codes[class] = m.requests.WithLabelValues(strconv.Itoa(class) + "xx")
	}
	for _, reason := range []string{"dial", "tls", "timeout", "reset", "rate_limited", "challenge"} {
		m.errors.WithLabelValues(reason)
	}
	return m
}

// answered counts an answer. HubSpot's 429 and its JavaScript challenge are answers to the visitor and a warning to the
// operator: HubSpot limits per egress address.
func (m *Metrics) answered(res *http.Response, took time.Duration, traceID string) {
	if class := res.StatusCode / 100; class > 0 && class < len(m.codes) {
		m.codes[class].Inc()
	} else {
		m.requests.WithLabelValues(strconv.Itoa(class) + "xx").Inc()
	}
	dependency.Observe(m.duration, took, traceID)
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		m.errors.WithLabelValues("rate_limited").Inc()
	case res.StatusCode == http.StatusForbidden && isChallenge(res.Header):
		m.errors.WithLabelValues("challenge").Inc()
	}
}

func isChallenge(h http.Header) bool {
	return h.Get("Cf-Mitigated") == "challenge" || (strings.Contains(h.Get("Content-Type"), "html") && h.Get("Server") == "cloudflare" && h.Get("Cf-Ray") != "")
}
