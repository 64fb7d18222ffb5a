package validate

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const prometheusFolder = "../prometheus"

// ruleFile is the part of a rule file of Prometheus that these tests look at.
type ruleFile struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	} `json:"groups"`
}

// rule is a recording rule or an alerting rule.
type rule struct {
	Record      string            `json:"record"`
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// ruleTests is the part of a test file of promtool that these tests look at.
type ruleTests struct {
	Tests []struct {
		Name  string `json:"name"`
		Rules []struct {
			Alert    string `json:"alertname"`
			Expected []any  `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	} `json:"tests"`
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(readFile(t, path)), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// allRules returns the rules of rules.yml in their order.
func allRules(t *testing.T) (all []rule) {
	t.Helper()
	var file ruleFile
	readYAML(t, filepath.Join(prometheusFolder, "rules.yml"), &file)
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) < 20 {
		t.Fatalf("rules.yml has only %d rules", len(all))
	}
	return all
}

func alertRules(t *testing.T) []rule {
	t.Helper()
	return slices.DeleteFunc(allRules(t), func(r rule) bool { return r.Alert == "" })
}

// runbookURL is where an alert says that its runbook is.
const runbookURL = "https://github.com/hubgate/hubgate/blob/main/docs/runbooks.md#"

var alertName = regexp.MustCompile(`^Hubgate[A-Za-z]+$`)

func TestAlertsSayWhatAnEngineerNeeds(t *testing.T) {
	t.Parallel()
	rows := dashboardRows(t)
	for _, r := range alertRules(t) {
		if !alertName.MatchString(r.Alert) {
			t.Errorf("%s: the name does not begin with Hubgate", r.Alert)
		}
		if s := r.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s: the severity is %q", r.Alert, s)
		}
		if got, want := r.Annotations["runbook_url"], runbookURL+strings.ToLower(r.Alert); got != want {
			t.Errorf("%s: runbook_url is %s, not %s", r.Alert, got, want)
		}
		if s := r.Annotations["summary"]; s == "" || strings.HasSuffix(s, ".") || strings.Contains(s, "{{") {
			t.Errorf("%s: the summary %q is not a title", r.Alert, s)
		}
		if d := r.Annotations["description"]; !strings.Contains(d, "{{") || !strings.HasSuffix(d, ".") {
			t.Errorf("%s: the description %q has neither a value nor a label, or is not a sentence", r.Alert, d)
		}
		row, named := strings.CutPrefix(r.Annotations["dashboard"], "hubgate, row ")
		if !named || !slices.Contains(rows, row) {
			t.Errorf("%s: the dashboard has no row %q", r.Alert, row)
		}
	}
}

// TestAlertsHaveARunbook checks that alerts and sections of the runbook are the same, in the same order.
func TestAlertsHaveARunbook(t *testing.T) {
	t.Parallel()
	var sections, alerts []string
	text := readFile(t, "../../docs/runbooks.md")
	for _, heading := range regexp.MustCompile(`(?m)^## (Hubgate\w+)$`).FindAllStringSubmatch(text, -1) {
		sections = append(sections, heading[1])
	}
	for _, r := range alertRules(t) {
		alerts = append(alerts, r.Alert)
		severity := "\n## " + r.Alert + "\n\n**" + r.Labels["severity"] + "**"
		if slices.Contains(sections, r.Alert) && !strings.Contains(text, severity) {
			t.Errorf("the runbook of %s does not begin with its severity, %s", r.Alert, r.Labels["severity"])
		}
	}
	if !slices.Equal(sections, alerts) {
		t.Errorf("the sections of docs/runbooks.md are\n%v\nand the alerts of rules.yml are\n%v", sections, alerts)
	}
}

// runbookParts are the parts of each section of the runbook.
var runbookParts = []string{"**Visitors**:", "**Confirm**:", "**Causes**:", "**Escalate** ", "**False alarms**:"}

func TestRunbooksHaveAllParts(t *testing.T) {
	t.Parallel()
	_, text, _ := strings.Cut(readFile(t, "../../docs/runbooks.md"), "\n## Hubgate")
	for section := range strings.SplitSeq(text, "\n## ") {
		title, _, _ := strings.Cut(section, "\n")
		for _, part := range runbookParts {
			if strings.Count(section, part) != 1 {
				t.Errorf("%s: %s is there %d times", title, part, strings.Count(section, part))
			}
		}
	}
}

// TestAlertsAreTestedBothWays checks that rules_test.yml has series that make each alert fire and series that do not.
func TestAlertsAreTestedBothWays(t *testing.T) {
	t.Parallel()
	var file ruleTests
	readYAML(t, filepath.Join(prometheusFolder, "rules_test.yml"), &file)
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		for _, r := range test.Rules {
			if len(r.Expected) > 0 {
				fires[r.Alert] = true
			} else {
				quiet[r.Alert] = true
			}
		}
	}
	for _, r := range alertRules(t) {
		if !fires[r.Alert] || !quiet[r.Alert] {
			t.Errorf("%s: a test in which it fires: %v, one in which it does not: %v", r.Alert, fires[r.Alert],
				quiet[r.Alert])
		}
		delete(fires, r.Alert)
		delete(quiet, r.Alert)
	}
	if len(fires)+len(quiet) > 0 {
		t.Errorf("rules_test.yml tests alerts that do not exist: %v %v", fires, quiet)
	}
}

// visitorsCause lists what visitors can do at will, without an account: series that no page may rest on, because anyone
// could wake an engineer.
var visitorsCause = map[string][]string{
	"hubgate_auth_logins_started_total": nil,
	"hubgate_auth_logins_finished_total": {
		"state", "used", "expired", "denied", "timeout", "rule", "attribute", "login_required", "provider", "token",
		"cookies_blocked", "cached_redirect", "login_rate",
	},
	"hubgate_auth_login_loops_total":        nil,
	"hubgate_upstream_errors_total":         nil,
	"hubgate_upstream_requests_total":       nil,
	"hubgate_upstream_duration_seconds":     nil,
	"hubgate_http_request_duration_seconds": nil,
	"hubgate_http_overhead_seconds":         nil,
	"hubgate_http_requests_total":           nil,
	"hubgate_hubspot_dead_letters":          nil,
	"hubgate_log_lines_dropped_total":       nil,
}

func TestPagesCannotBeCausedByVisitors(t *testing.T) {
	t.Parallel()
	for _, r := range alertRules(t) {
		if r.Labels["severity"] != "page" || r.Alert == "HubgatePagesFail" {
			continue
		}
		for name, labels := range usesOf(t, expand(t, r.Expr)) {
			reasons, listed := visitorsCause[baseName(name)]
			if !listed || len(labels["reason"]) > 0 && !slices.ContainsFunc(labels["reason"], func(v string) bool {
				return slices.Contains(reasons, v)
			}) || slices.Equal(labels["result"], []string{"ok"}) {
				continue
			}
			t.Errorf("%s pages because of %s%v, which visitors can cause", r.Alert, name, labels)
		}
	}
}

// expand replaces recorded series by their expressions.
func expand(t *testing.T, expr string) string {
	t.Helper()
	for _, r := range allRules(t) {
		if r.Record != "" {
			expr = strings.ReplaceAll(expr, r.Record, "("+strings.TrimSpace(r.Expr)+")")
		}
	}
	return expr
}

// TestPromtoolAccepts runs Prometheus' own checks of its configuration and the rules, and the tests of the rules.
func TestPromtoolAccepts(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("HUBGATE_TEST_SERVICES"), ","), "promtool") {
			t.Fatal("promtool is not installed, but HUBGATE_TEST_SERVICES contains it")
		}
		t.Skip("promtool is not installed; install Prometheus to run this test")
	}
	for _, args := range [][]string{
		{"check", "config", "prometheus.yml"}, {"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yml"},
	} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = prometheusFolder
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
