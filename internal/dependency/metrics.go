package dependency

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Result is how a call ended: a metric label.
type Result string

// The results.
const (
	OK          Result = "ok"
	Timeout     Result = "timeout"
	Failed      Result = "failed"       // no answer: refused, reset, DNS, TLS
	Throttled   Result = "throttled"    // 429
	ServerError Result = "server_error" // 5xx
	ClientError Result = "client_error" // 4xx
)

var results = []Result{OK, Timeout, Failed, Throttled, ServerError, ClientError}

// opsOf is the closed set of operations of each dependency.
var opsOf = map[Name][]Op{
	Redis:       {OpCommand},
	IDP:         {OpDiscovery, OpJWKS, OpToken, OpRefresh, OpUserinfo, OpRevoke, OpOther},
	HubSpotSite: {OpPage},
	HubSpotAPI:  {OpUpsert, OpRead, OpUpdate, OpSchema, OpForm, OpPages, OpAccount, OpOther},
}

// Metrics counts the calls of every dependency and remembers which of them answered last time.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	up       *prometheus.GaugeVec
	state    map[Name]*atomic.Int32 // 0 unknown, 1 up, 2 down: the gauge is written on change only
}

// NewMetrics registers the metrics with every child in place, so that rate() and absent() work from the start.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_dependency_requests_total", Help: "Calls to what hubgate depends on, by how they ended.",
		}, []string{"dependency", "op", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hubgate_dependency_duration_seconds", Help: "Time until a dependency answered.",
			Buckets:                     []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}, []string{"dependency", "op"}),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hubgate_dependency_up", Help: "1 when the last call to the dependency was answered, 0 when it was not.",
		}, []string{"dependency"}),
		state: map[Name]*atomic.Int32{},
	}
	reg.MustRegister(m.requests, m.duration, m.up)
	for name, ops := range opsOf {
		m.up.WithLabelValues(string(name)).Set(1)
		m.state[name] = &atomic.Int32{}
		for _, op := range ops {
			m.duration.WithLabelValues(string(name), string(op))
			for _, result := range results {
				m.requests.WithLabelValues(string(name), string(op), string(result))
			}
		}
	}
	return m
}

// Call is one finished call.
type Call struct {
	Op     Op
	Result Result
	Took   time.Duration
}

// Observe counts one call. A nil Metrics counts nothing.
func (m *Metrics) Observe(name Name, c Call) {
	if m == nil {
		return
	}
	m.requests.WithLabelValues(string(name), string(c.Op), string(c.Result)).Inc()
	m.duration.WithLabelValues(string(name), string(c.Op)).Observe(c.Took.Seconds())
	state, up := int32(1), 1.0
	if c.Result == Timeout || c.Result == Failed || c.Result == ServerError {
		state, up = 2, 0
	}
	if m.state[name].Swap(state) != state {
		m.up.WithLabelValues(string(name)).Set(up)
	}
}
