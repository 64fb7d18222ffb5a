package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
)

// traced returns a site whose gateways send spans to a collector.
func traced(t *testing.T, changes config) (*site, *spanCollector) {
	t.Helper()
	c := newSpanCollector(t)
	return newSite(t, options{config: changes.with(config{"tracing.endpoint": c.URL})}), c
}

// trustedLoopback makes gateways trust the test as a proxy.
var trustedLoopback = config{"server.trusted_proxies": `[127.0.0.0/8, "::1"]`}

func TestTraceSpansTheWholeLogin(t *testing.T) {
	t.Parallel()
	s, c := traced(t, config{})
	g, v := s.serve(), newVisitor(t)
	s.login(v, "/members/handbook?token=canary-in-the-query")
	begun, callback := c.wait(t, "/members/**", 1), c.wait(t, "/oauth2/callback", 1)
	if begun.attributes["hubgate.decision"] != "login" || begun.attributes["http.response.status_code"] != "302" ||
		begun.kind != otlp.Span_SPAN_KIND_SERVER {
		t.Errorf("the redirect's span is %+v", begun)
	}
	if begun.parent != "" || callback.trace != begun.trace || callback.parent != begun.id {
		t.Errorf("the callback %+v does not continue %+v", callback, begun)
	}
	for _, name := range []string{"idp token", "idp userinfo", "session start"} {
		if child := c.wait(t, name, 1); child.trace != begun.trace || child.parent != callback.id {
			t.Errorf("%s is %+v, not a child of %+v", name, child, callback)
		}
	}
	set := c.wait(t, "redis SET", 1)
	if set.trace != begun.trace || set.attributes["db.operation.name"] != "SET" ||
		set.kind != otlp.Span_SPAN_KIND_CLIENT {
		t.Errorf("redis SET is %+v", set)
	}
	page := c.wait(t, "/members/**", 2)
	if page.trace == begun.trace || page.attributes["hubgate.decision"] != "allow" {
		t.Errorf("the page after the login is %+v", page)
	}
	load, upstream := c.wait(t, "session load", 2), c.wait(t, "hubspot_site page", 1)
	if load.trace != page.trace || upstream.trace != page.trace || upstream.parent != page.id {
		t.Errorf("%+v and %+v are not children of the page's span %+v", load, upstream, page)
	}
	c.wait(t, "idp discovery", 1)
	c.wait(t, "idp jwks", 1)
	if call := c.wait(t, "hubspot_api upsert", 1); call.attributes["hubgate.op"] != "upsert" {
		t.Errorf("the call for the contact is %+v", call)
	}
	if !g.out.contains(`"trace_id":"` + begun.trace + `"`) {
		t.Error("no line of the log has the login's trace id")
	}
	v.submit(v.open(s.url+"/oauth2/session"), "sign_out", nil)
	if revoke := c.wait(t, "idp revoke", 1); revoke.trace != c.wait(t, "/oauth2/sign_out", 1).trace {
		t.Errorf("the revocation is %+v", revoke)
	}
	c.hasNoPersonalData(t)
}

// hasNoPersonalData checks that no span contains secrets or personal data, or an attribute that is not documented.
func (c *spanCollector) hasNoPersonalData(t *testing.T) {
	t.Helper()
	spans, raw := c.all()
	if len(spans) < 20 {
		t.Fatalf("only %d spans", len(spans))
	}
	doc, err := os.ReadFile(filepath.Join("..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"canary-in-the-query", "handbook", email, "test-user", adminToken, sealKey,
		"pat-na1-e2e", "verysecure", "code=", "state=", "127.0.0.1:5", "Mozilla"} {
		if strings.Contains(raw, secret) {
			t.Errorf("the spans contain %q", secret)
		}
	}
	for _, s := range spans {
		for key := range s.attributes {
			if !strings.Contains(string(doc), "`"+key+"`") {
				t.Errorf("span %s has the attribute %s, which docs/operations.md does not list", s.name, key)
			}
		}
	}
}

const (
	foreignTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	foreignSpan  = "00f067aa0ba902b7"
	traceparent  = "00-" + foreignTrace + "-" + foreignSpan + "-01"
)

func TestTraceContinuesOnlyFromTrustedProxy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server  config
		trusted bool
	}{
		"untrusted client": {config{}, false},
		"trusted proxy":    {trustedLoopback, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, collector := traced(t, c.server)
			s.serve()
			header := http.Header{"Traceparent": {traceparent}, "Tracestate": {"vendor=1"}}
			s.get("/public", header)
			request := collector.wait(t, "default", 1)
			if got := request.trace == foreignTrace && request.parent == foreignSpan; got != c.trusted {
				t.Errorf("the request's span is %+v", request)
			}
			upstream := collector.wait(t, "hubspot_site page", 1)
			want := ""
			if c.trusted {
				want = "00-" + foreignTrace + "-" + upstream.id + "-01"
			}
			received := s.origin.requests()[0].Header
			parent, state := received.Get("Traceparent"), received.Get("Tracestate")
			if parent != want || (state != "") != c.trusted {
				t.Errorf("the origin received traceparent %q and tracestate %q, want %q", parent, state, want)
			}
			// Only a trusted proxy decides whether a request is recorded.
			s.get("/public/unrecorded", http.Header{"Traceparent": {"00-" + foreignTrace + "-" + foreignSpan + "-00"}})
			s.get("/oauth2/userinfo", http.Header{})
			collector.wait(t, "/oauth2/userinfo", 1)
			if recorded := len(collector.named("default")) == 2; recorded == c.trusted {
				t.Errorf("a traceparent without the recorded flag was obeyed: %v", !recorded)
			}
		})
	}
}

func TestTraceOfALoginSurvivesATracingProxy(t *testing.T) {
	t.Parallel()
	s, c := traced(t, trustedLoopback)
	s.serve()
	v := newVisitor(t)
	var sent []string // trace ids of the proxy, one for each request
	v.client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.URL.String(), s.url) {
			sent = append(sent, fmt.Sprintf("%032x", len(sent)+1))
			r.Header.Set("Traceparent", "00-"+sent[len(sent)-1]+"-00f067aa0ba902b7-01")
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	s.login(v, "/members/")
	begun, callback, page := c.wait(t, "/members/**", 1), c.wait(t, "/oauth2/callback", 1), c.wait(t, "/members/**", 2)
	if begun.trace != sent[0] || callback.trace != begun.trace || callback.parent != begun.id ||
		!slices.Equal(callback.links, sent[1:2]) || page.trace != sent[2] {
		t.Errorf("the proxy's traces are %v, the login's spans %+v and %+v", sent, begun, callback)
	}
}

var exemplar = regexp.MustCompile(`(?m)^(hubgate_\w+)_bucket\{.* # \{trace_id="([0-9a-f]{32})"\}`)

func TestMetricsHaveExemplars(t *testing.T) {
	t.Parallel()
	s, c := traced(t, config{})
	g := s.serve()
	s.login(newVisitor(t), "/members/")
	login := c.wait(t, "/oauth2/callback", 1)
	text := g.openMetrics()
	if !strings.HasSuffix(text, "# EOF\n") {
		t.Fatalf("not in the format OpenMetrics:\n%s", text)
	}
	traces := map[string][]string{}
	for _, m := range exemplar.FindAllStringSubmatch(text, -1) {
		traces[m[1]] = append(traces[m[1]], m[2])
	}
	for _, name := range []string{
		"hubgate_http_request_duration_seconds", "hubgate_http_overhead_seconds", "hubgate_upstream_duration_seconds",
		"hubgate_dependency_duration_seconds", "hubgate_auth_login_duration_seconds",
	} {
		if len(traces[name]) == 0 {
			t.Errorf("%s has no exemplar", name)
		}
	}
	if got := traces["hubgate_auth_login_duration_seconds"]; len(got) != 1 || got[0] != login.trace {
		t.Errorf("the login's exemplar is %v, its trace %s", got, login.trace)
	}
	if strings.Contains(g.text("/metrics"), "trace_id") {
		t.Error("exemplars in the text format, which has none")
	}
}

func TestCollectorOutageAffectsNoRequest(t *testing.T) {
	t.Parallel()
	s, c := traced(t, config{})
	c.Close()
	g := s.serve()
	s.login(newVisitor(t), "/members/")
	for range 50 {
		if res := s.get("/public", http.Header{}); res.StatusCode != http.StatusOK {
			t.Fatalf("%d", res.StatusCode)
		}
	}
	g.waitFor("the trace collector is unavailable")
	if code := g.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if n := g.out.count("the trace collector is unavailable"); n != 1 {
		t.Errorf("the log reports it %d times", n)
	}
	g.lines() // fails if OpenTelemetry writes its own lines
}
