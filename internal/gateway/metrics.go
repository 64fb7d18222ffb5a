package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/logging"
)

// newRegistry makes the process's own registry: nothing registers itself behind our back.
func newRegistry(build buildinfo.Info) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "hubgate_build_info", Help: "1, labelled with what was built."},
		[]string{"version", "revision", "goversion"})
	reg.MustRegister(info)
	info.WithLabelValues(build.Version, build.Revision, build.GoVersion).Set(1)
	return reg
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
