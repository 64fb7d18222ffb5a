package session

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts sessions.
type Metrics struct {
	started    prometheus.Counter
	ended      *prometheus.CounterVec
	cache      *prometheus.CounterVec
	unreadable prometheus.Counter
}

// NewMetrics registers the metrics with every child in place.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		started: prometheus.NewCounter(prometheus.CounterOpts{Name: "hubgate_session_started_total", Help: "Sessions begun by a login."}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_session_ended_total", Help: "Sessions ended before or at their time, by why.",
		}, []string{"reason"}),
		cache: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_session_cache_total", Help: "How sessions were found: in the process, in Redis, or in the process although Redis is away.",
		}, []string{"result"}),
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hubgate_session_unreadable_total", Help: "Records that could not be opened: damaged, moved, of other keys or another format.",
		}),
	}
	reg.MustRegister(m.started, m.ended, m.cache, m.unreadable)
	for _, reason := range []string{"logout", "idle", "expired", "revoked", "refresh_denied"} {
		m.ended.WithLabelValues(reason)
	}
	for _, result := range []string{"hit", "miss", "stale"} {
		m.cache.WithLabelValues(result)
	}
	return m
}
