package session

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the metrics of sessions.
type Metrics struct {
	started, unreadable prometheus.Counter
	ended               *prometheus.CounterVec
	hit, miss, stale    prometheus.Counter // results of lookups
	size                prometheus.Histogram
	live                prometheus.Gauge
}

// NewMetrics registers the metrics. Every label value is present from the start.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		started: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hubgate_session_started_total", Help: "Sessions started by a login.",
		}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_session_ended_total", Help: "Sessions ended, by reason.",
		}, []string{"reason"}),
		size: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "hubgate_session_record_bytes",
			Help:                        "Size of a session's record in Redis, when it is written and when it is opened.",
			Buckets:                     []float64{1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}),
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hubgate_session_unreadable_total",
			Help: "Session records that could not be opened: damaged, moved, sealed with other keys, or of another format.",
		}),
	}
	m.live = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hubgate_session_live",
		Help: "Sessions in Redis that have not ended, the same on every replica; NaN while Redis does not answer.",
	})
	m.live.Set(math.NaN())
	found := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hubgate_session_cache_total",
		Help: "Session lookups by result: hit in the cache, miss (read from Redis), or stale (cached, Redis unavailable).",
	}, []string{"result"})
	m.hit, m.miss, m.stale = found.WithLabelValues("hit"), found.WithLabelValues("miss"), found.WithLabelValues("stale")
	reg.MustRegister(m.started, m.ended, found, m.unreadable, m.size, m.live)
	for _, reason := range []string{"logout", "idle", "expired", "revoked", "refresh_denied"} {
		m.ended.WithLabelValues(reason)
	}
	return m
}
