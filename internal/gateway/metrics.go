package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
	"github.com/hubgate/hubgate/proxy"
)

// metricSet is the registry with the metrics that outlive a reload.
type metricSet struct {
	registry     *prometheus.Registry
	http         *middleware.Metrics
	config       *configMetrics
	dependencies *dependency.Metrics
	proxy        *proxy.Metrics
	auth         *auth.Metrics
	openid       *openid.Metrics
}

func newMetricSet(lines *logging.Writer) *metricSet {
	reg := newRegistry(buildinfo.Read())
	registerLogMetrics(reg, lines)
	return &metricSet{
		registry: reg, http: middleware.NewMetrics(reg), config: newConfigMetrics(reg),
		dependencies: dependency.NewMetrics(reg), proxy: proxy.NewMetrics(reg), auth: auth.NewMetrics(reg),
		openid: openid.NewMetrics(reg),
	}
}

// newRegistry returns a registry of its own, because libraries may register metrics in the default one.
func newRegistry(build buildinfo.Info) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	info := prometheus.NewGaugeVec(
		prometheus.GaugeOpts{Name: "hubgate_build_info", Help: "Always 1; the labels identify the build."},
		[]string{"version", "revision", "goversion"},
	)
	reg.MustRegister(info)
	info.WithLabelValues(build.Version, build.Revision, build.GoVersion).Set(1)
	return reg
}

// configMetrics are the metrics of the configuration that is served.
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
		success: gauge("hubgate_config_last_reload_success",
			"1 if the newest configuration is served, 0 if it was refused."),
		timestamp: gauge("hubgate_config_last_reload_timestamp_seconds",
			"When the configuration was last loaded successfully, also if nothing had changed."),
		rules:    gauge("hubgate_config_rules", "Rules of the served configuration, without HubSpot's built-in ones."),
		draining: gauge("hubgate_draining", "1 while the process drains, otherwise 0."),
		info: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hubgate_config_info", Help: "Always 1; the label is the hash of the served configuration.",
		}, []string{"sha256"}),
	}
	reg.MustRegister(m.info)
	return m
}

// setServed records a configuration that took effect.
func (m *configMetrics) setServed(sha256 string, rules int) {
	m.info.Reset()
	m.info.WithLabelValues(sha256).Set(1)
	m.rules.Set(float64(rules))
}

// setLoaded records that the newest configuration is served.
func (m *configMetrics) setLoaded(at time.Time) {
	m.timestamp.Set(float64(at.UnixMilli()) / 1000)
	m.success.Set(1)
}

// registerLogMetrics registers the counters of lines that are missing in the log.
func registerLogMetrics(reg prometheus.Registerer, lines *logging.Writer) {
	for label, reason := range map[string]logging.Reason{"full": logging.Full, "write_error": logging.WriteError} {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "hubgate_log_lines_dropped_total", ConstLabels: prometheus.Labels{"reason": label},
			Help: "Log lines dropped, because the reader of the log was too slow or writing failed.",
		}, func() float64 { return float64(lines.Dropped(reason)) }))
	}
}
