package main

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
)

// newRegistry makes the process's own registry: nothing registers itself behind our back.
func newRegistry(build buildInfo) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "hubgate_build_info", Help: "1, labelled with what was built."},
		[]string{"version", "revision", "goversion"})
	reg.MustRegister(info)
	info.WithLabelValues(build.Version, build.Revision, build.GoVersion).Set(1)
	return reg
}

// httpMetrics counts visitors' requests. Labels come from closed sets: an odd method is "other", a status its class, a rule its
// name in the configuration (DS-11: label explosion).
type httpMetrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	overhead prometheus.Histogram
	inFlight prometheus.Gauge

	mu    sync.Mutex
	live  map[string]bool                                   // the rules that are served now
	known atomic.Pointer[map[requestLabels]requestChildren] // looked up without labels being put together; replaced by a larger one
}

// requestLabels tell the children that count a request.
type requestLabels struct {
	rule, decision, method string
	code                   int // class
}

type requestChildren struct {
	requests prometheus.Counter
	duration prometheus.Observer
}

func newHTTPMetrics(reg prometheus.Registerer) *httpMetrics {
	m := &httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_http_requests_total", Help: "Requests, by the rule that decided and what was decided.",
		}, []string{"rule", "decision", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hubgate_http_request_duration_seconds", Help: "Time from the request to the end of the answer.",
			Buckets:                     []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}, []string{"rule", "code"}),
		overhead: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hubgate_http_overhead_seconds", Help: "The gateway's own share of a request: total minus upstream.",
			Buckets:                     []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hubgate_http_requests_in_flight", Help: "Requests whose answer is not finished.",
		}),
	}
	reg.MustRegister(m.requests, m.duration, m.overhead, m.inFlight)
	m.known.Store(&map[requestLabels]requestChildren{})
	return m
}

func (m *httpMetrics) observe(method string, status int, f *inbound.Facts, took time.Duration) {
	o := f.Outcome
	children := m.children(requestLabels{o.Rule, o.Decision, methodLabel(method), status / 100})
	children.requests.Inc()
	dependency.Observe(children.duration, took, f.TraceID)
	if status != 101 { // a WebSocket's whole life is no overhead
		dependency.Observe(m.overhead, max(0, took-o.Upstream), f.TraceID)
	}
}

func (m *httpMetrics) children(labels requestLabels) requestChildren {
	if children, ok := (*m.known.Load())[labels]; ok {
		return children
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rule := labels.rule
	if !m.live[rule] { // a request that began before a reload took its rule away: the rule's children do not come back
		rule = ruleNone
	}
	code := codeClass(labels.code * 100)
	children := requestChildren{m.requests.WithLabelValues(rule, labels.decision, labels.method, code), m.duration.WithLabelValues(rule, code)}
	larger := maps.Clone(*m.known.Load())
	larger[labels] = children
	m.known.Store(&larger)
	return children
}

// natural are the decisions and the code classes that go with them, the usual one first: the children that exist from the start, for
// GET all of them, for other methods the usual one.
var natural = map[string][]string{
	"public": {"2xx", "1xx", "3xx", "4xx", "5xx"}, "allow": {"2xx", "1xx", "3xx", "4xx", "5xx"},
	"login": {"4xx", "3xx"}, "forbid": {"4xx"}, "refuse": {"4xx", "3xx"}, "error": {"5xx", "4xx"},
}

// methods are the values of the label, besides GET.
var methods = []string{"HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", otherMethod}

const otherMethod = "other"

// maxZeroed bounds the children made in advance: with thousands of rules a scrape would be mostly zeros.
const maxZeroed = 100

// zero puts the children of the rules in place and removes those of rules that are gone.
func (m *httpMetrics) zero(rules, gone []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known.Store(&map[requestLabels]requestChildren{})
	for _, rule := range gone {
		m.requests.DeletePartialMatch(prometheus.Labels{"rule": rule})
		m.duration.DeletePartialMatch(prometheus.Labels{"rule": rule})
	}
	m.live = map[string]bool{}
	for i, rule := range rules {
		m.live[rule] = true
		if i < maxZeroed {
			m.prepare(rule)
		}
	}
}

func (m *httpMetrics) prepare(rule string) {
	for decision, codes := range natural {
		for _, code := range codes {
			m.requests.WithLabelValues(rule, decision, "GET", code)
			m.duration.WithLabelValues(rule, code)
		}
		for _, method := range methods {
			m.requests.WithLabelValues(rule, decision, method, codes[0])
		}
	}
}

func codeClass(status int) string { return strconv.Itoa(status/100) + "xx" }

func methodLabel(method string) string {
	if method == http.MethodGet || slices.Contains(methods, method) && method != otherMethod {
		return method
	}
	return otherMethod
}

// configMetrics tells about the configuration that is being served.
type configMetrics struct {
	success, timestamp, rules, draining prometheus.Gauge
	info                                *prometheus.GaugeVec
}

func newConfigMetrics(reg prometheus.Registerer) *configMetrics {
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		reg.MustRegister(g)
		return g
	}
	m := &configMetrics{
		success:   gauge("hubgate_config_last_reload_success", "1 when the newest configuration is the one that is served, 0 when it was refused."),
		timestamp: gauge("hubgate_config_last_reload_timestamp_seconds", "When the served configuration was loaded."),
		rules:     gauge("hubgate_config_rules", "Rules of the served configuration, without HubSpot's built-in ones."),
		draining:  gauge("hubgate_draining", "1 from SIGTERM on."),
		info: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hubgate_config_info", Help: "1, labelled with the hash of the served configuration.",
		}, []string{"sha256"}),
	}
	reg.MustRegister(m.info)
	return m
}

// served notes a configuration that took effect.
func (m *configMetrics) served(sha256 string, rules int, at time.Time) {
	m.info.Reset()
	m.info.WithLabelValues(sha256).Set(1)
	m.rules.Set(float64(rules))
	m.timestamp.Set(float64(at.Unix()))
	m.success.Set(1)
}

// newLogMetrics counts the lines that the log lacks.
func newLogMetrics(reg prometheus.Registerer, lines *logging.Writer) {
	for reason, why := range map[string]logging.Reason{"full": logging.Full, "write_error": logging.WriteError} {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "hubgate_log_lines_dropped_total", ConstLabels: prometheus.Labels{"reason": reason},
			Help: "Lines that are not in the log: its reader did not keep up, or writing failed.",
		}, func() float64 { return float64(lines.Dropped(why)) }))
	}
}
