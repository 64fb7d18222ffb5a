package validate

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dashboard is the part of a dashboard of Grafana that these tests look at.
type dashboard struct {
	UID           string  `json:"uid"`
	Title         string  `json:"title"`
	SchemaVersion int     `json:"schemaVersion"`
	Panels        []panel `json:"panels"`
	Annotations   struct {
		List []struct {
			Name string `json:"name"`
			Expr string `json:"expr"`
		} `json:"list"`
	} `json:"annotations"`
	Templating struct {
		List []struct {
			Name       string     `json:"name"`
			Type       string     `json:"type"`
			Definition string     `json:"definition"`
			DataSource dataSource `json:"datasource"`
		} `json:"list"`
	} `json:"templating"`
}

type dataSource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type panel struct {
	ID          int                      `json:"id"`
	Type        string                   `json:"type"`
	Title       string                   `json:"title"`
	Description string                   `json:"description"`
	DataSource  dataSource               `json:"datasource"`
	Grid        struct{ H, W, X, Y int } `json:"gridPos"`
	Field       struct {
		Defaults struct {
			Unit       string `json:"unit"`
			Thresholds struct {
				Steps []any `json:"steps"`
			} `json:"thresholds"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Links []struct {
		Title string `json:"title"`
		URL   string `json:"url"`
	} `json:"links"`
	Targets []struct {
		Expr       string     `json:"expr"`
		Legend     string     `json:"legendFormat"`
		Exemplar   bool       `json:"exemplar"`
		DataSource dataSource `json:"datasource"`
	} `json:"targets"`
}

// query is an expression of the dashboard.
type query struct {
	place, expr, legend string
}

var (
	// variable is the data source that a visitor of the dashboard selects.
	variable    = dataSource{"prometheus", "${datasource}"}
	legendLabel = regexp.MustCompile(`{{(\w+)}}`)
	labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
)

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	if err := json.Unmarshal([]byte(readFile(t, "../grafana/hubgate.json")), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Panels) < 40 {
		t.Fatalf("the dashboard has only %d panels", len(d.Panels))
	}
	return d
}

// dashboardRows returns the titles of the rows.
func dashboardRows(t *testing.T) (rows []string) {
	t.Helper()
	for _, p := range readDashboard(t).Panels {
		if p.Type == "row" {
			rows = append(rows, p.Title)
		}
	}
	return rows
}

// dashboardQueries returns the queries of panels, annotations and variables.
func dashboardQueries(t *testing.T) (all []query) {
	t.Helper()
	d := readDashboard(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			all = append(all, query{p.Title, target.Expr, target.Legend})
		}
	}
	for _, a := range d.Annotations.List {
		if a.Expr != "" {
			all = append(all, query{a.Name, a.Expr, ""})
		}
	}
	for _, v := range d.Templating.List {
		if parts := labelValues.FindStringSubmatch(v.Definition); parts != nil {
			all = append(all, query{"the variable " + v.Name, parts[1], "{{" + parts[2] + "}}"})
		} else if v.Type == "query" {
			t.Errorf("the variable %s asks for %s", v.Name, v.Definition)
		}
	}
	return all
}

// uses returns the metrics of a query. A label of the legend by which the query does not group is one of its metrics.
func (q query) uses(t *testing.T) metricUses {
	t.Helper()
	uses := usesOf(t, strings.ReplaceAll(q.expr, "$__rate_interval", "5m"))
	delete(uses, "ALERTS") // of Prometheus itself
	for _, found := range legendLabel.FindAllStringSubmatch(q.legend, -1) {
		label, grouped := found[1], slices.Contains(targetLabels, found[1])
		for _, labels := range uses {
			_, ok := labels[label]
			grouped = grouped || ok
		}
		for name := range uses {
			if !grouped {
				uses[name][label] = nil
			}
		}
	}
	return uses
}

func TestDashboardPanelsAreComplete(t *testing.T) {
	t.Parallel()
	d := readDashboard(t)
	if d.UID != "hubgate" || d.Title == "" || d.SchemaVersion < 39 {
		t.Errorf("uid %q, title %q, schema %d", d.UID, d.Title, d.SchemaVersion)
	}
	ids, titles := map[int]bool{}, map[string]bool{}
	row := ""
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("%s: the id %d is there twice", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			row = p.Title
			continue
		}
		if p.Title == "" || titles[row+p.Title] {
			t.Errorf("row %s: the title %q is empty or there twice", row, p.Title)
		}
		titles[row+p.Title] = true
		if !strings.HasSuffix(p.Description, ".") || p.Field.Defaults.Unit == "" ||
			len(p.Field.Defaults.Thresholds.Steps) == 0 || len(p.Targets) == 0 {
			t.Errorf("%s: description, unit, thresholds or queries are missing", p.Title)
		}
	}
	if row == "" {
		t.Error("there are no rows")
	}
}

func TestDashboardQueriesFollowTheVariables(t *testing.T) {
	t.Parallel()
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			if p.DataSource != variable || target.DataSource != variable {
				t.Errorf("%s: the data source is not ${datasource}", p.Title)
			}
			if strings.Count(target.Expr, `job=~"$job`) != strings.Count(target.Expr, "{") {
				t.Errorf("%s: not every selector has $job: %s", p.Title, target.Expr)
			}
			if p.Type == "timeseries" && len(p.Targets) > 1 && target.Legend == "" {
				t.Errorf("%s: a query has no legend", p.Title)
			}
			if ofRequest := exemplars.MatchString(target.Expr); p.Type == "timeseries" && target.Exemplar != ofRequest {
				t.Errorf("%s: exemplar is %v", p.Title, target.Exemplar)
			}
		}
	}
}

// exemplars matches histograms whose observations belong to a request or a call, and so have the id of its trace.
var exemplars = regexp.MustCompile(`(?:request|overhead|upstream|login|dependency)_(?:duration_)?seconds_bucket`)

// A WebSocket may last for hours. Among the durations of pages, a few of them would look like an outage.
func TestDashboardLeavesWebSocketsOutOfDurations(t *testing.T) {
	t.Parallel()
	durations := 0
	for _, q := range dashboardQueries(t) {
		const metric = "hubgate_http_request_duration_seconds"
		if n := strings.Count(q.expr, metric); n != strings.Count(q.expr, metric+`_bucket{code!="1xx", `) {
			t.Errorf("%s: durations of WebSockets are not left out: %s", q.place, q.expr)
		} else {
			durations += n
		}
	}
	if durations == 0 {
		t.Error("no query of durations")
	}
}

func TestDashboardPanelsDoNotOverlap(t *testing.T) {
	t.Parallel()
	taken := map[string]string{}
	for _, p := range readDashboard(t).Panels {
		if p.Grid.X < 0 || p.Grid.W < 1 || p.Grid.H < 1 || p.Grid.X+p.Grid.W > 24 {
			t.Errorf("%s is outside of the grid: %+v", p.Title, p.Grid)
		}
		for x := p.Grid.X; x < p.Grid.X+p.Grid.W; x++ {
			for y := p.Grid.Y; y < p.Grid.Y+p.Grid.H; y++ {
				cell := fmt.Sprint(x, ",", y)
				if other, ok := taken[cell]; ok {
					t.Fatalf("%s overlaps %s", p.Title, other)
				}
				taken[cell] = p.Title
			}
		}
	}
}

// TestDashboardLeadsToRunbooks checks that each alert is linked from a panel of the row that it names, and that no link
// leads to a runbook that does not exist.
func TestDashboardLeadsToRunbooks(t *testing.T) {
	t.Parallel()
	linked, row := map[string][]string{}, ""
	for _, p := range readDashboard(t).Panels {
		if p.Type == "row" {
			row = p.Title
		}
		for _, link := range p.Links {
			linked[link.URL] = append(linked[link.URL], row)
		}
	}
	for _, r := range alertRules(t) {
		url := r.Annotations["runbook_url"]
		if hint := strings.TrimPrefix(r.Annotations["dashboard"], "hubgate, row "); !slices.Contains(linked[url], hint) {
			t.Errorf("%s names the row %s; panels of the rows %v link to its runbook", r.Alert, hint, linked[url])
		}
		delete(linked, url)
	}
	if len(linked) > 0 {
		t.Errorf("links to runbooks that do not exist: %v", linked)
	}
}

func TestProvisioningNamesTheFoldersOfCompose(t *testing.T) {
	t.Parallel()
	var sources struct {
		DataSources []struct{ Name, Type, URL string } `json:"datasources"`
	}
	readYAML(t, "../grafana/provisioning/datasources/prometheus.yaml", &sources)
	if len(sources.DataSources) != 1 || sources.DataSources[0].URL != "http://prometheus:9090" {
		t.Errorf("%+v", sources)
	}
	var dashboards struct {
		Providers []struct {
			Options struct{ Path string } `json:"options"`
		} `json:"providers"`
	}
	readYAML(t, "../grafana/provisioning/dashboards/hubgate.yaml", &dashboards)
	if len(dashboards.Providers) != 1 || dashboards.Providers[0].Options.Path != "/etc/grafana/dashboards" {
		t.Errorf("%+v", dashboards)
	}
}
