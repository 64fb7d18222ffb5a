package gateway

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// scraped returns the series of a scrape, as a scraper receives them.
func scraped(t *testing.T, g *gateway) []string {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "http://127.0.0.1:9090/metrics", nil)
	g.adminServer(g.current.Load().cfg.Server).Handler.ServeHTTP(w, r)
	var series []string
	for line := range strings.Lines(w.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			name, _, _ := strings.Cut(strings.TrimSpace(line), "} ")
			series = append(series, name)
		}
	}
	return series
}

// ofRule returns the requests that are counted from the start for a rule: decision, method and code.
func ofRule(series []string, rule string) []string {
	var found []string
	for _, s := range series {
		if labels, ok := strings.CutPrefix(s, "hubgate_http_requests_total{"); ok &&
			strings.Contains(labels, `rule="`+rule+`"`) {
			part := strings.Split(labels, `"`) // code, decision, method, rule
			found = append(found, part[3]+" "+part[5]+" "+part[1])
		}
	}
	slices.Sort(found)
	return found
}

// manyRules returns rules of all kinds.
func manyRules(n int) string {
	kinds := []string{
		", groups: [members]", ", lists: [customers]", ", claims: {hubspot.member_tier: [gold]}", ", max_auth_age: 1h", "",
	}
	var rules []string
	for i := range n {
		rules = append(rules, fmt.Sprintf("{path: /area%d/**, name: area%d%s}", i, i, kinds[i%len(kinds)]))
	}
	return strings.Join(rules, ", ")
}

func TestFirstScrapeIsSmall(t *testing.T) {
	t.Parallel()
	for rules, limit := range map[int]int{3: 800, 200: 4000} {
		g, _ := metricsGateway(t, manyRules(rules))
		series := scraped(t, g)
		if len(series) > limit {
			t.Errorf("%d rules have %d series, more than %d", rules, len(series), limit)
		}
		first, last := ofRule(series, "area0"), ofRule(series, fmt.Sprintf("area%d", rules-1))
		if len(first) < 10 || !slices.Equal(first, last) {
			t.Errorf("the first rule has %v, the last one %v", first, last)
		}
	}
}

func TestSeriesOfARuleAreThoseThatItCanDecide(t *testing.T) {
	t.Parallel()
	g, _ := metricsGateway(t, `{path: /in/**, name: in}, {path: /out/**, name: out, access: public},
    {path: /api/**, name: api, methods: [GET, PUT, DELETE, PATCH]}`)
	series := scraped(t, g)
	const failed = "error GET 5xx,error POST 5xx,"
	for rule, want := range map[string]string{
		"in": "allow GET 2xx,allow GET 3xx,allow GET 4xx,allow GET 5xx,allow HEAD 2xx,allow POST 2xx," + failed +
			"forbid GET 4xx,forbid POST 4xx,login GET 3xx,login GET 4xx,login POST 4xx,refuse other 4xx",
		"out": failed + "public GET 2xx,public GET 3xx,public GET 4xx,public GET 5xx,public HEAD 2xx," +
			"public POST 2xx,refuse other 4xx",
		"api": "allow DELETE 2xx,allow GET 2xx,allow GET 3xx,allow GET 4xx,allow GET 5xx,allow PUT 2xx," +
			"error DELETE 5xx,error GET 5xx,error PUT 5xx,forbid DELETE 4xx,forbid GET 4xx,forbid PUT 4xx," +
			"login DELETE 4xx,login GET 3xx,login GET 4xx,login PUT 4xx,refuse HEAD 4xx,refuse POST 4xx,refuse other 4xx",
		"hubspot:diagnostics": failed + "refuse GET 4xx,refuse POST 4xx,refuse other 4xx",
		"_none":               "error GET 5xx,refuse GET 3xx,refuse GET 4xx,refuse POST 4xx",
	} {
		if got := strings.Join(ofRule(series, rule), ","); got != want {
			t.Errorf("%s has\n%s\nwant\n%s", rule, got, want)
		}
	}
}

func TestSeriesOfThousandsOfRulesAreBounded(t *testing.T) {
	t.Parallel()
	g, _ := metricsGateway(t, manyRules(1001))
	series := scraped(t, g)
	if got := ofRule(series, "area980"); len(got) == 0 {
		t.Error("with the built-in rules, the 1000th has no series")
	}
	if got := ofRule(series, "area1000"); len(got) != 0 {
		t.Errorf("the 1001st rule has %v", got)
	}
	for _, rule := range []string{"hubspot:files", "default", "_none"} {
		if got := ofRule(series, rule); len(got) == 0 {
			t.Errorf("%s has no series", rule)
		}
	}
}
