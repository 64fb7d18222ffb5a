package auth

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/page"
)

// The results of logins that did not succeed.
const (
	resultFailed   = "failed"   // hubgate, Redis or an answer of the provider to hubgate says so
	resultReported = "reported" // only the address of the callback says so, which anyone can make up
)

// Metrics counts logins and logouts.
type Metrics struct {
	started  prometheus.Counter
	finished *prometheus.CounterVec
	duration prometheus.Histogram
	loops    *prometheus.CounterVec
	logouts  *prometheus.CounterVec
}

// NewMetrics registers the metrics with all label values.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		started: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hubgate_auth_logins_started_total", Help: "Logins started, by redirecting a visitor to the provider.",
		}),
		finished: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_auth_logins_finished_total", Help: "Logins finished, by result and reason.",
		}, []string{"result", "reason"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hubgate_auth_login_duration_seconds", Help: "Time from the start of a login until the session begins.",
			Buckets:                     []float64{1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}),
		loops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_auth_login_loops_total", Help: "Login loops that were stopped, by cause.",
		}, []string{"cause"}),
		logouts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_auth_logouts_total", Help: "Logouts, by kind.",
		}, []string{"kind"}),
	}
	reg.MustRegister(m.started, m.finished, m.duration, m.loops, m.logouts)
	m.finished.WithLabelValues("ok", "none")
	for _, cause := range failedCauses() {
		m.finished.WithLabelValues(resultFailed, cause)
	}
	for _, cause := range reportedCauses() {
		m.finished.WithLabelValues(resultReported, cause)
	}
	for _, cause := range Causes()[page.Loop] {
		m.loops.WithLabelValues(cause)
	}
	for _, kind := range []string{"cognito", "oidc", "local", "backchannel", "everywhere"} {
		m.logouts.WithLabelValues(kind)
	}
	return m
}
