package gateway

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/hubgate/hubgate/internal/configtest"
)

// monitored are the metrics that the alerts and the dashboard in deploy use: labels, and values that they ask for. The
// tests of deploy/validate write the list.
func monitored(t *testing.T) map[string]map[string][]string {
	t.Helper()
	var list map[string]map[string][]string
	text := configtest.Read(t, "deploy", "validate", "testdata", "metrics.json")
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 40 {
		t.Fatalf("only %d metrics", len(list))
	}
	return list
}

var descriptor = regexp.MustCompile(`fqName: "(\w+)".* constLabels: {(.*)}, variableLabels: {(.*)}}$`)

// describedMetrics returns the labels of all metrics of a registry by name, also of those that have no series yet.
func describedMetrics(t *testing.T, reg *prometheus.Registry) map[string][]string {
	t.Helper()
	all := make(chan *prometheus.Desc, 1000)
	reg.Describe(all)
	close(all)
	described := map[string][]string{}
	for d := range all {
		parts := descriptor.FindStringSubmatch(d.String())
		if parts == nil {
			t.Fatalf("unexpected descriptor %s", d)
		}
		labels := append([]string{}, strings.FieldsFunc(parts[3], func(r rune) bool { return r == ',' })...)
		for constant := range strings.SplitSeq(parts[2], ",") {
			if label, _, ok := strings.Cut(constant, "="); ok {
				labels = append(labels, label)
			}
		}
		described[parts[1]] = labels
	}
	return described
}

// familyOf returns the name of the metric that has a series, and whether it is one of a histogram.
func familyOf(series string, described map[string][]string) (name string, histogram bool) {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, cut := strings.CutSuffix(series, suffix); cut && described[base] != nil {
			return base, true
		}
	}
	return series, false
}

// TestMonitoringAsksForMetricsThatExist checks the names, labels and values in the expressions of the alerts and of the
// dashboard. An alert about a series that does not exist never fires.
func TestMonitoringAsksForMetricsThatExist(t *testing.T) {
	t.Parallel()
	g, _ := metricsGateway(t, `{path: /members/**}`)
	described := describedMetrics(t, g.metrics.registry)
	families, err := g.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for series, labels := range monitored(t) {
		name, histogram := familyOf(series, described)
		if described[name] == nil {
			t.Errorf("there is no metric %s", series)
			continue
		}
		family := &dto.MetricFamily{Name: &name} // without series
		if i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name }); i >= 0 {
			family = families[i]
		}
		for label, values := range labels {
			switch {
			case label == "le" && histogram:
				checkBounds(t, family, values)
			case label == "quantile": // of a summary
			case !slices.Contains(described[name], label):
				t.Errorf("%s has no label %s, but %v", series, label, described[name])
			case len(values) > 0:
				checkValues(t, family, label, values)
			}
		}
	}
}

// checkBounds checks that a histogram has buckets with these upper bounds.
func checkBounds(t *testing.T, family *dto.MetricFamily, bounds []string) {
	t.Helper()
	for _, text := range bounds {
		bound, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Errorf("%s: le is %q", family.GetName(), text)
		}
		if !slices.ContainsFunc(family.Metric, func(m *dto.Metric) bool {
			return slices.ContainsFunc(m.Histogram.Bucket, func(b *dto.Bucket) bool { return b.GetUpperBound() == bound })
		}) {
			t.Errorf("%s has no bucket up to %s", family.GetName(), text)
		}
	}
}

// checkValues checks that a label can have these values. The series of WebSockets, 1xx, begin with the first one.
func checkValues(t *testing.T, family *dto.MetricFamily, label string, values []string) {
	t.Helper()
	for _, value := range values {
		if label == "code" && value == "1xx" {
			continue
		}
		if !slices.Contains(labelsOf(family)[label], value) {
			t.Errorf("%s: no series has %s=%q from the start, but %v", family.GetName(), label, value,
				labelsOf(family)[label])
		}
	}
}

// TestMonitoringShowsEveryMetric checks that the dashboard has a panel for each metric, unless an alert uses it.
func TestMonitoringShowsEveryMetric(t *testing.T) {
	t.Parallel()
	g, _ := metricsGateway(t, `{path: /members/**}`)
	described := describedMetrics(t, g.metrics.registry)
	shown := map[string]bool{}
	for series := range monitored(t) {
		name, _ := familyOf(series, described)
		shown[name] = true
	}
	for name := range described {
		if strings.HasPrefix(name, "hubgate_") && !shown[name] {
			t.Errorf("neither an alert nor the dashboard uses %s", name)
		}
	}
}
