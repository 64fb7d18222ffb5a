package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/hubgate/hubgate/internal/configtest"
)

// metricsGateway returns a gateway without listeners, and its configuration file.
func metricsGateway(t *testing.T, rules string) (*gateway, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hubgate.yaml")
	writeMetricsConfig(t, path, rules)
	g, err := newGateway(ServeConfig{Path: path, Getenv: configtest.Environment, Log: newLogLines(t).lines})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.close() })
	return g, path
}

func writeMetricsConfig(t *testing.T, path, rules string) {
	t.Helper()
	certFile, keyFile := filepath.Join(filepath.Dir(path), "cert.pem"), filepath.Join(filepath.Dir(path), "key.pem")
	writeCertificate(t, certFile, keyFile)
	text := fmt.Sprintf(`version: 1
server: {public_urls: ["https://www.example.com"], tls: {mode: files, cert_file: %q, key_file: %q}}
proxy:
  origin: http://127.0.0.1:9
  default: public
  rules: [%s]
auth: {user_pool: eu-west-1_AbCdEf123, client_id: a, client_secret: "${COGNITO_CLIENT_SECRET}"}
session: {keys: ["${HUBGATE_KEY}"], redis: {mode: embedded}}
hubspot:
  access_token: "${HUBSPOT_TOKEN}"
  api_url: "http://127.0.0.1:9"
  access: {lists: {customers: 1234}, properties: [member_tier]}
tracing: {endpoint: "http://127.0.0.1:9"}
`, certFile, keyFile, rules)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func gathered(t *testing.T, g *gateway) map[string]*dto.MetricFamily {
	t.Helper()
	list, err := g.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	families := map[string]*dto.MetricFamily{}
	for _, family := range list {
		if strings.HasPrefix(family.GetName(), "hubgate_") {
			families[family.GetName()] = family
		}
	}
	return families
}

// labelsOf returns the labels of a family and their values.
func labelsOf(family *dto.MetricFamily) map[string][]string {
	found := map[string][]string{}
	for _, metric := range family.Metric {
		for _, label := range metric.Label {
			if !slices.Contains(found[label.GetName()], label.GetValue()) {
				found[label.GetName()] = append(found[label.GetName()], label.GetValue())
			}
		}
	}
	return found
}

func TestMetricsOfTheContractExistFromTheStart(t *testing.T) {
	t.Parallel()
	g, _ := metricsGateway(t, `{path: /members/**}`)
	families := gathered(t, g)
	for name, labels := range contract {
		family := families[name]
		if family == nil {
			t.Errorf("%s is missing", name)
			continue
		}
		got := labelsOf(family)
		for label, values := range labels {
			first, _, _ := strings.Cut(values, "later")
			want := strings.Fields(first)
			if values == "*" {
				want = got[label]
			}
			slices.Sort(want)
			slices.Sort(got[label])
			if d := cmp.Diff(want, got[label]); d != "" || len(want) == 0 {
				t.Errorf("%s{%s}: -contract +gathered\n%s", name, label, d)
			}
			delete(got, label)
		}
		if len(got) > 0 {
			t.Errorf("%s has labels that are not in the contract: %v", name, got)
		}
	}
	for name := range families {
		if _, known := contract[name]; !known {
			t.Errorf("%s is not in the contract", name)
		}
	}
}

func TestMetricsAreAllDocumented(t *testing.T) {
	t.Parallel()
	text := configtest.Read(t, "docs", "operations.md")
	for name := range contract {
		if !strings.Contains(text, "`"+name) {
			t.Errorf("docs/operations.md does not list %s", name)
		}
	}
}

func TestMetricsPassTheLinter(t *testing.T) {
	t.Parallel()
	g, _ := metricsGateway(t, "")
	problems, err := testutil.GatherAndLint(g.metrics.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "hubgate_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestHistogramsAreClassicAndNative(t *testing.T) {
	t.Parallel()
	g, _ := metricsGateway(t, "")
	bounds := map[string][2]float64{
		"hubgate_http_request_duration_seconds": {0.005, 10}, "hubgate_upstream_duration_seconds": {0.005, 10},
		"hubgate_http_overhead_seconds": {0.0001, 0.1},
	}
	serveRequest(g, http.MethodGet, "/nothing-there", nil)
	for name, family := range gathered(t, g) {
		if family.GetType() != dto.MetricType_HISTOGRAM {
			continue
		}
		for _, metric := range family.Metric {
			h := metric.Histogram
			first, last := h.Bucket[0].GetUpperBound(), h.Bucket[len(h.Bucket)-1].GetUpperBound()
			want, known := bounds[name]
			if known && (first != want[0] || last != want[1]) {
				t.Errorf("the buckets of %s are from %v to %v", name, first, last)
			}
			if h.Schema == nil {
				t.Errorf("%s is not native", name)
			}
		}
	}
}

// serveRequest sends a request through all handlers.
func serveRequest(g *gateway, method, target string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://www.example.com"+target, nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func TestLabelsCannotBeCreatedByClients(t *testing.T) {
	t.Parallel()
	g, _ := metricsGateway(t, `{path: /members/**}`)
	before := seriesOf(t, g)
	for i := range 200 {
		word := fmt.Sprintf("x%d", i)
		serveRequest(g, "M"+strings.ToUpper(word), "/members/"+word, nil)
		serveRequest(g, "other", "/oauth2/"+word+"?error="+word, nil)
		serveRequest(g, http.MethodGet, "/oauth2/callback?state="+word+"&error="+word, nil)
		serveRequest(g, http.MethodGet, "/"+word+"/%2e%2e/", func(r *http.Request) { r.Host = word + ".example" })
	}
	after := seriesOf(t, g)
	for series := range after {
		if !before[series] && strings.Contains(series, "x1") {
			t.Errorf("a client created %s", series)
		}
	}
	if more := len(after) - len(before); more > 30 {
		t.Errorf("800 invalid requests created %d series", more)
	}
}

// seriesOf returns the names of all series.
func seriesOf(t *testing.T, g *gateway) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for name, family := range gathered(t, g) {
		for _, metric := range family.Metric {
			all[name+fmt.Sprint(metric.Label)] = true
		}
	}
	return all
}

func TestReloadRemovesTheMetricsOfARemovedRule(t *testing.T) {
	t.Parallel()
	g, path := metricsGateway(t, `{path: /members/**}, {path: /board/**, name: board}`)
	last := g.current.Load().hash
	serveRequest(g, http.MethodGet, "/board/a", nil)
	serveRequest(g, http.MethodGet, "/members/a", nil)
	old := g.current.Load().handler
	writeMetricsConfig(t, path, `{path: /members/**}`)
	g.reloader.reload(true)
	if hash := g.current.Load().hash; hash == last {
		t.Fatal("the new configuration is not served")
	}
	// A request that began under the old rules ends after the reload.
	old.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "https://www.example.com/board/a", nil))
	families := gathered(t, g)
	for _, name := range []string{"hubgate_http_requests_total", "hubgate_http_request_duration_seconds"} {
		rules := labelsOf(families[name])["rule"]
		if slices.Contains(rules, "board") || !slices.Contains(rules, "/members/**") {
			t.Errorf("%s has the rules %v", name, rules)
		}
	}
	if got := labelsOf(families["hubgate_config_info"])["sha256"]; len(got) != 1 || got[0] != g.current.Load().hash {
		t.Errorf("hubgate_config_info has %v, not only %s", got, g.current.Load().hash)
	}
	if got := families["hubgate_config_rules"].Metric[0].Gauge.GetValue(); got != 1 {
		t.Errorf("hubgate_config_rules is %v", got)
	}
	at := families["hubgate_config_last_reload_timestamp_seconds"].Metric[0].Gauge.GetValue()
	if age := time.Since(time.Unix(int64(at), 0)); age < 0 || age > time.Hour {
		t.Errorf("the last reload was at %v", at)
	}
}

func TestReloadTimestampMovesWithEverySuccessfulReload(t *testing.T) {
	t.Parallel()
	g, path := metricsGateway(t, `{path: /members/**}`)
	values := func() (at, success float64) {
		families := gathered(t, g)
		return families["hubgate_config_last_reload_timestamp_seconds"].Metric[0].Gauge.GetValue(),
			families["hubgate_config_last_reload_success"].Metric[0].Gauge.GetValue()
	}
	g.metrics.config.setLoaded(time.Unix(1, 0)) // long ago
	g.reloader.reload(false)                    // a poll that finds nothing
	if at, _ := values(); at != 1 {
		t.Errorf("a poll moved the timestamp to %v", at)
	}
	g.reloader.reload(true) // SIGHUP
	at, success := values()
	if time.Since(time.Unix(int64(at), 0)) > time.Hour || success != 1 {
		t.Errorf("after SIGHUP with an unchanged file: %v, %v", at, success)
	}
	if err := os.WriteFile(path, []byte("version: 2"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.reloader.reload(true)
	if after, success := values(); after != at || success != 0 {
		t.Errorf("a refused file moved the timestamp from %v to %v, success %v", at, after, success)
	}
}
