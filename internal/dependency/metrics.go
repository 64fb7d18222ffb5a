package dependency

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Result is the result of a call: a metric label.
type Result string

// The results.
const (
	OK          Result = "ok"
	Timeout     Result = "timeout"
	Failed      Result = "failed"       // no response: refused, reset, DNS, TLS
	Throttled   Result = "throttled"    // 429
	ServerError Result = "server_error" // 5xx
	ClientError Result = "client_error" // 4xx
	Canceled    Result = "canceled"     // by hubgate or the visitor: no evidence about the dependency
)

var results = []Result{OK, Timeout, Failed, Throttled, ServerError, ClientError, Canceled}

// opsOf is the closed set of operations of each dependency that a gateway calls, the most common first.
var opsOf = map[Name][]Op{
	Redis:       {OpCommand},
	IDP:         {OpDiscovery, OpJWKS, OpToken, OpRefresh, OpUserinfo, OpRevoke},
	HubSpotSite: {OpPage},
	HubSpotAPI:  {OpUpsert, OpRead, OpUpdate, OpSchema, OpForm, OpLists, OpAccount, OpOther},
}

// resultsOf returns the results that calls of a dependency can have: Redis has no status codes.
func resultsOf(name Name) []Result {
	if name == Redis {
		return []Result{OK, Timeout, Failed, Canceled}
	}
	return results
}

// Metrics counts the calls of every dependency and holds the result of its last probe.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	up       *prometheus.GaugeVec
	known    map[label]children               // of all possible calls, so that a look-up builds no labels
	state    map[Name]*atomic.Pointer[Health] // written only by probes, read by requests
	probes   map[Name]func()                  // start a probe; written before the first call
}

type label struct {
	name   Name
	op     Op
	result Result
}

type children struct {
	requests prometheus.Counter
	duration func() prometheus.Observer
}

// Health is the result of the last probe of a dependency.
type Health struct {
	OK     bool
	Known  bool   // false until the first probe
	Detail string // a sentence for the operator
	Since  time.Time
}

// NewMetrics registers the metrics. Every counter that can happen exists from the start, so that rate() sees its first
// increment; of the histograms, those of one operation of each dependency.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_dependency_requests_total", Help: "Calls to dependencies, by operation and result.",
		}, []string{"dependency", "op", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hubgate_dependency_duration_seconds", Help: "Time until a dependency responded.",
			Buckets: []float64{
				0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
			},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}, []string{"dependency", "op"}),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hubgate_dependency_up",
			Help: "1 if the last probe of the dependency succeeded, otherwise 0.",
		}, []string{"dependency"}),
		state: map[Name]*atomic.Pointer[Health]{}, known: map[label]children{}, probes: map[Name]func(){},
	}
	reg.MustRegister(m.requests, m.duration, m.up)
	for name, ops := range opsOf {
		m.up.WithLabelValues(string(name)).Set(1)
		m.state[name] = &atomic.Pointer[Health]{}
		m.state[name].Store(&Health{OK: true, Detail: "not asked yet", Since: time.Now()})
		for i, op := range ops {
			duration := sync.OnceValue(func() prometheus.Observer {
				return m.duration.WithLabelValues(string(name), string(op))
			})
			if i == 0 {
				duration()
			}
			for _, result := range resultsOf(name) {
				requests := m.requests.WithLabelValues(string(name), string(op), string(result))
				m.known[label{name, op, result}] = children{requests, duration}
			}
		}
	}
	return m
}

// Call is one finished call.
type Call struct {
	Op      Op
	Result  Result
	Took    time.Duration
	TraceID string // of the trace with this call; "" if there is none
}

// Observe counts one call. A nil Metrics counts nothing.
func (m *Metrics) Observe(name Name, c Call) {
	if m == nil {
		return
	}
	known, ok := m.known[label{name, c.Op, c.Result}]
	if !ok {
		known = children{
			m.requests.WithLabelValues(string(name), string(c.Op), string(c.Result)),
			func() prometheus.Observer { return m.duration.WithLabelValues(string(name), string(c.Op)) },
		}
	}
	known.requests.Inc()
	Observe(known.duration(), c.Took, c.TraceID)
	m.suspect(name, c.Result)
}

// suspect starts a probe if the result of a call contradicts the dependency's health. It does not change the health,
// because a visitor can make a call fail.
func (m *Metrics) suspect(name Name, r Result) {
	probe := m.probes[name]
	if probe == nil || r == Canceled {
		return
	}
	if answered := r != Timeout && r != Failed && r != ServerError; answered != m.state[name].Load().OK {
		probe()
	}
}

// watch sets the function that starts a probe. It must be called before the first call.
func (m *Metrics) watch(name Name, probe func()) { m.probes[name] = probe }

// SetUp saves the result of a probe: whether the dependency answers. Nothing else changes Health and
// hubgate_dependency_up.
func (m *Metrics) SetUp(name Name, ok bool, detail string) {
	if m == nil {
		return
	}
	last := m.state[name].Load()
	next := &Health{OK: ok, Known: true, Detail: detail, Since: last.Since}
	if !last.Known || last.OK != ok {
		next.Since = time.Now()
	}
	m.state[name].Store(next)
	up := 0.0
	if ok {
		up = 1
	}
	m.up.WithLabelValues(string(name)).Set(up)
}

// Observe records a duration. The trace's id, if there is one, becomes the exemplar, which leads from a bucket of the
// histogram to one request in it.
func Observe(o prometheus.Observer, took time.Duration, traceID string) {
	if e, ok := o.(prometheus.ExemplarObserver); ok && traceID != "" {
		e.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": traceID})
		return
	}
	o.Observe(took.Seconds())
}

// Health returns the result of the last probe of the dependency.
func (m *Metrics) Health(name Name) Health { return *m.state[name].Load() }
