package validate

import (
	"os"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/yaml"
)

// The chart must install the same alerts and the same dashboard as other installations have: templates in them, such as
// {{ $labels.job }}, are for Prometheus and Grafana, not for Helm.
func TestChartHasTheRulesAndTheDashboard(t *testing.T) {
	t.Parallel()
	in := install(t, minimal(t, "{prometheusRule: {enabled: true}, dashboard: {enabled: true}}"))
	rules, err := os.ReadFile("../prometheus/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var want monitoring.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict(rules, &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Groups) == 0 || !equality.Semantic.DeepEqual(in.rules[0].Spec, want) {
		t.Errorf("the chart has %d groups of rules, which are not the %d of rules.yml", len(in.rules[0].Spec.Groups),
			len(want.Groups))
	}
	dashboard, err := os.ReadFile("../grafana/hubgate.json")
	if err != nil {
		t.Fatal(err)
	}
	var found bool
	for _, c := range in.configMaps {
		if text, has := c.Data["hubgate.json"]; has {
			found = true
			if strings.TrimSpace(text) != strings.TrimSpace(string(dashboard)) {
				t.Error("the chart has another dashboard")
			}
		}
	}
	if !found {
		t.Error("the chart has no dashboard")
	}
}
