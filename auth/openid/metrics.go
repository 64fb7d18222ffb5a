package openid

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts refreshes.
type Metrics struct{ refreshes *prometheus.CounterVec }

// NewMetrics registers the metrics with all label values.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hubgate_auth_refreshes_total", Help: "Refreshes of sessions at the provider, by result.",
	}, []string{"result", "reason"})}
	reg.MustRegister(m.refreshes)
	m.refreshes.WithLabelValues("ok", "none")
	m.refreshes.WithLabelValues("denied", "invalid_grant")
	m.refreshes.WithLabelValues("failed", "provider")
	return m
}

// refreshed counts a refresh. A nil Metrics counts nothing.
func (m *Metrics) refreshed(result, reason string) {
	if m != nil {
		m.refreshes.WithLabelValues(result, reason).Inc()
	}
}
