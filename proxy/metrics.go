package proxy

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/dependency"
)

// Metrics counts the origin's responses.
type Metrics struct {
	requests   *prometheus.CounterVec
	duration   prometheus.Histogram
	errors     *prometheus.CounterVec
	websockets prometheus.Gauge
	codes      [6]prometheus.Counter // of requests, by class
}

// NewMetrics registers the metrics with all their children.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_upstream_requests_total", Help: "Responses of the origin, by status class.",
		}, []string{"code"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hubgate_upstream_duration_seconds", Help: "Time until the origin's response began.",
			Buckets: []float64{
				0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
			},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_upstream_errors_total",
			Help: "Requests that failed at the origin, or that it throttled or challenged, by reason.",
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

// answered counts a response. HubSpot's 429 and its JavaScript challenge are forwarded to the visitor, and count as
// errors for the operator, because HubSpot limits requests by egress address.
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

// isChallenge reports whether a 403 is Cloudflare's challenge page.
func isChallenge(h http.Header) bool {
	ofCloudflare := h.Get("Server") == "cloudflare" && h.Get("Cf-Ray") != ""
	return h.Get("Cf-Mitigated") == "challenge" || (ofCloudflare && strings.Contains(h.Get("Content-Type"), "html"))
}
