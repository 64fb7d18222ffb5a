package middleware

import (
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/proxy/rules"
)

// Metrics counts visitors' requests. Label values come from closed sets, so that no client can create time series: an
// unknown method is "other", a status is its class, a rule is its name in the configuration.
type Metrics struct {
	requests *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	overhead prometheus.Histogram
	inFlight prometheus.Gauge

	mu   sync.Mutex
	live map[string]bool // the rules of the current configuration

	// known caches the children, so that a request needs no lookup by label strings. A new child replaces the map.
	known atomic.Pointer[map[requestLabels]requestChildren]
	// sentBy are the children of bytes by rule. A reload replaces the map.
	sentBy atomic.Pointer[map[string]prometheus.Counter]
}

// requestLabels identify the children that count a request.
type requestLabels struct {
	rule, decision, method string
	code                   int // class
}

// requestChildren are the metrics of one combination of labels.
type requestChildren struct {
	requests prometheus.Counter
	duration prometheus.Observer
}

// NewMetrics returns Metrics registered with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_http_requests_total", Help: "Requests, by rule and decision.",
		}, []string{"rule", "decision", "method", "code"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_http_response_bytes_total", Help: "Bytes of response bodies and WebSocket frames sent to visitors.",
		}, []string{"rule"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hubgate_http_request_duration_seconds", Help: "Time from the request to the end of the response.",
			Buckets:                     []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}, []string{"rule", "code"}),
		overhead: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hubgate_http_overhead_seconds", Help: "Time spent in the gateway itself: total minus upstream.",
			Buckets:                     []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hubgate_http_requests_in_flight", Help: "Requests in flight.",
		}),
	}
	reg.MustRegister(m.requests, m.bytes, m.duration, m.overhead, m.inFlight)
	m.sentBy.Store(&map[string]prometheus.Counter{})
	m.known.Store(&map[requestLabels]requestChildren{})
	return m
}

func (m *Metrics) observe(method string, status int, f *inbound.Facts, took time.Duration) {
	o := f.Outcome
	children := m.children(requestLabels{o.Rule, o.Decision, methodLabel(method), status / 100})
	children.requests.Inc()
	dependency.Observe(children.duration, took, f.TraceID)
	if status != 101 { // the lifetime of a WebSocket is not overhead
		dependency.Observe(m.overhead, max(0, took-o.Upstream), f.TraceID)
	}
}

// sent counts bytes that were sent to a visitor.
func (m *Metrics) sent(rule string, n int) {
	children := *m.sentBy.Load()
	child, live := children[rule]
	if !live { // nothing has decided yet, or a reload removed the rule
		child = children[RuleNone]
	}
	if child != nil {
		child.Add(float64(n))
	}
}

func (m *Metrics) children(labels requestLabels) requestChildren {
	if children, ok := (*m.known.Load())[labels]; ok {
		return children
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rule := labels.rule
	if !m.live[rule] { // the request began before a reload removed its rule, whose series must not come back
		rule = RuleNone
	}
	code := codeClass(labels.code * 100)
	children := requestChildren{
		m.requests.WithLabelValues(rule, labels.decision, labels.method, code),
		m.duration.WithLabelValues(rule, code),
	}
	larger := maps.Clone(*m.known.Load())
	larger[labels] = children
	m.known.Store(&larger)
	return children
}

// SetRules creates the series of rules and deletes those of the rules that are gone.
func (m *Metrics) SetRules(list []rules.Outcomes, gone []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known.Store(&map[requestLabels]requestChildren{})
	for _, rule := range gone {
		m.bytes.DeleteLabelValues(rule)
		m.requests.DeletePartialMatch(prometheus.Labels{"rule": rule})
		m.duration.DeletePartialMatch(prometheus.Labels{"rule": rule})
	}
	m.live = map[string]bool{RuleNone: true, RuleGateway: true}
	for i, o := range list {
		m.live[o.Rule] = true
		if i < maxPrepared {
			m.prepare(o)
		}
	}
	m.prepareOwn()
	sentBy := map[string]prometheus.Counter{}
	for rule := range m.live {
		sentBy[rule] = m.bytes.WithLabelValues(rule)
	}
	m.sentBy.Store(&sentBy)
}

func codeClass(status int) string { return strconv.Itoa(status/100) + "xx" }
