package auth

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts logins and logouts.
type Metrics struct {
	started   prometheus.Counter
	finished  *prometheus.CounterVec
	duration  prometheus.Histogram
	loops     *prometheus.CounterVec
	logouts   *prometheus.CounterVec
	refreshes *prometheus.CounterVec
}

// NewMetrics registers the metrics with every child in place.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		started: prometheus.NewCounter(prometheus.CounterOpts{Name: "hubgate_auth_logins_started_total", Help: "Visitors sent to the provider."}),
		finished: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_auth_logins_finished_total", Help: "Logins that came back, by how they ended.",
		}, []string{"result", "reason"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hubgate_auth_login_duration_seconds", Help: "Time a visitor spent at the provider.",
			Buckets: []float64{1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900}, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}),
		loops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_auth_login_loops_total", Help: "Login loops that were broken, by their cause.",
		}, []string{"cause"}),
		logouts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_auth_logouts_total", Help: "Logouts, by how the provider's own session was ended.",
		}, []string{"kind"}),
		refreshes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_auth_refreshes_total", Help: "Refreshes of sessions at the provider, by how they ended.",
		}, []string{"result", "reason"}),
	}
	reg.MustRegister(m.started, m.finished, m.duration, m.loops, m.logouts, m.refreshes)
	m.finished.WithLabelValues("ok", "none")
	for page, causes := range Causes() {
		for _, cause := range causes {
			switch page {
			case "loop":
				m.loops.WithLabelValues(cause)
			default:
				m.finished.WithLabelValues("failed", cause)
			}
		}
	}
	for _, kind := range []string{"cognito", "oidc", "local", "backchannel", "everywhere"} {
		m.logouts.WithLabelValues(kind)
	}
	m.refreshes.WithLabelValues("ok", "none")
	m.refreshes.WithLabelValues("denied", "invalid_grant")
	m.refreshes.WithLabelValues("failed", "provider")
	return m
}

// refreshed counts a refresh; a nil Metrics counts nothing.
func (m *Metrics) refreshed(result, reason string) {
	if m != nil {
		m.refreshes.WithLabelValues(result, reason).Inc()
	}
}
