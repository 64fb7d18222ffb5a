package validate

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

var updateMetrics = flag.Bool("update-metrics", false, "write testdata/metrics.json")

// metricUses are the metrics that expressions use: their labels, and the values that the expressions ask for.
type metricUses map[string]map[string][]string

// targetLabels are labels that Prometheus adds to every series.
var targetLabels = []string{"namespace", "job", "instance", "pod"}

// usesOf parses an expression and returns what it uses.
func usesOf(t *testing.T, expr string) metricUses {
	t.Helper()
	node, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v", expr, err)
		return nil
	}
	uses := metricUses{}
	uses.collect(node, nil)
	return uses
}

// collect adds the metrics of a node. The labels are those by which the expression around it groups or matches.
func (u metricUses) collect(node parser.Node, around []string) {
	switch n := node.(type) {
	case *parser.VectorSelector:
		u.add(n, around)
		return
	case *parser.AggregateExpr:
		around = n.Grouping
		if n.Without {
			around = nil
		}
	case *parser.BinaryExpr:
		if n.VectorMatching != nil {
			around = slices.Concat(around, n.VectorMatching.MatchingLabels, n.VectorMatching.Include)
		}
	}
	for child := range parser.ChildrenIter(node) {
		u.collect(child, around)
	}
}

// add adds a selector.
func (u metricUses) add(n *parser.VectorSelector, around []string) {
	used := u[n.Name]
	if used == nil {
		used = map[string][]string{}
		u[n.Name] = used
	}
	for _, label := range around {
		if !slices.Contains(targetLabels, label) {
			used[label] = append(used[label], []string{}...)
		}
	}
	for _, m := range n.LabelMatchers {
		if m.Name == "__name__" || slices.Contains(targetLabels, m.Name) {
			continue
		}
		used[m.Name] = slices.Compact(slices.Sorted(slices.Values(append(used[m.Name], valuesOf(m)...))))
	}
}

// valuesOf returns the values that a matcher names. It returns none for a variable of the dashboard and for a pattern.
func valuesOf(m *labels.Matcher) []string {
	if strings.Contains(m.Value, "$") || regexp.MustCompile(`[.*+?()\[\]]`).MatchString(m.Value) && isPattern(m) {
		return nil
	}
	if isPattern(m) {
		return strings.Split(m.Value, "|")
	}
	return []string{m.Value}
}

func isPattern(m *labels.Matcher) bool {
	return m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp
}

// merge adds the uses of another expression.
func (u metricUses) merge(other metricUses) {
	for name, asked := range other {
		if u[name] == nil {
			u[name] = map[string][]string{}
		}
		for label, values := range asked {
			all := append(u[name][label], values...)
			u[name][label] = append([]string{}, slices.Compact(slices.Sorted(slices.Values(all)))...)
		}
	}
}

// baseName returns the name of a histogram for the names of its series.
func baseName(series string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(series, suffix); ok {
			return base
		}
	}
	return series
}

// TestRecordingRulesAreNamedAfterTheirLabels checks names of the form level:metric:operations, where the level lists
// the labels that a series has, and that other rules ask for no other label.
func TestRecordingRulesAreNamedAfterTheirLabels(t *testing.T) {
	t.Parallel()
	used := metricUses{}
	for _, r := range allRules(t) {
		used.merge(usesOf(t, r.Expr))
	}
	for _, r := range allRules(t) {
		if r.Record == "" {
			continue
		}
		parts := strings.Split(r.Record, ":")
		if len(parts) != 3 || !strings.HasPrefix(parts[0], "namespace_job") || !strings.HasPrefix(parts[1], "hubgate_") {
			t.Errorf("%s is not level:metric:operations", r.Record)
			continue
		}
		for label := range used[r.Record] {
			if !slices.Contains(strings.Split(parts[0], "_"), label) {
				t.Errorf("a rule asks %s for the label %s", r.Record, label)
			}
		}
		if _, ok := used[r.Record]; !ok {
			t.Errorf("no alert uses %s", r.Record)
		}
		delete(used, r.Record)
	}
	for name := range used {
		if strings.Contains(name, ":") {
			t.Errorf("%s is not recorded", name)
		}
	}
}

var promqlBlock = regexp.MustCompile("(?s)\n```promql\n(.+?)\n```\n")

// documentedQueries returns the queries of a document.
func documentedQueries(t *testing.T, path string) (all []string) {
	t.Helper()
	for _, block := range promqlBlock.FindAllStringSubmatch(readFile(t, path), -1) {
		all = append(all, block[1])
	}
	return all
}

// TestMetricsInUseAreListed checks that testdata/metrics.json lists what rules.yml, the dashboard and the runbooks use.
// A test of hubgate compares the list with its own metrics, labels and values.
func TestMetricsInUseAreListed(t *testing.T) {
	t.Parallel()
	used := metricUses{}
	for _, r := range allRules(t) {
		used.merge(usesOf(t, r.Expr))
	}
	for _, q := range dashboardQueries(t) {
		used.merge(q.uses(t))
	}
	for _, text := range documentedQueries(t, "../../docs/runbooks.md") {
		used.merge(usesOf(t, text))
	}
	maps.DeleteFunc(used, func(name string, _ map[string][]string) bool {
		return strings.Contains(name, ":") || name == "up"
	})
	got, err := json.MarshalIndent(used, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "metrics.json")
	if *updateMetrics {
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := readFile(t, path); want != string(got)+"\n" {
		t.Errorf("%s is not what the queries use; run go test -C deploy/validate ./... -update-metrics", path)
	}
}
