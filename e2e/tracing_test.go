package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
)

// traced makes a world whose gateway sends spans to a collector; extra is put into the section server.
func traced(t *testing.T, extra string) (*world, *spanCollector) {
	t.Helper()
	w, c := newWorld(t), newSpanCollector(t)
	w.rewrite(func(text string) string {
		return strings.Replace(text, "server:\n", "server:\n"+extra, 1) + fmt.Sprintf("tracing: {endpoint: %q}\n", c.URL)
	})
	return w, c
}

// rewrite changes the configuration file.
func (w *world) rewrite(change func(string) string) {
	w.t.Helper()
	text, err := os.ReadFile(w.config)
	if err == nil {
		err = os.WriteFile(w.config, []byte(change(string(text))), 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestOneTraceSpansALoginFromTheRedirectToTheSession(t *testing.T) {
	t.Parallel()
	w, c := traced(t, "")
	gw, v := w.serve(), newVisitor(t)
	w.login(v, "/members/handbook?token=canary-in-the-query")
	begun, callback := c.wait(t, "/members/**", 1), c.wait(t, "/oauth2/callback", 1)
	if begun.attributes["hubgate.decision"] != "login" || begun.attributes["http.response.status_code"] != "302" || begun.kind != otlp.Span_SPAN_KIND_SERVER {
		t.Errorf("the redirect's span is %+v", begun)
	}
	if begun.parent != "" || callback.trace != begun.trace || callback.parent != begun.id {
		t.Errorf("the callback %+v does not go on with %+v", callback, begun)
	}
	for name, below := range map[string]span{"idp token": callback, "idp userinfo": callback, "session start": callback} {
		s := c.wait(t, name, 1)
		if s.trace != begun.trace || s.parent != below.id {
			t.Errorf("%s is %+v, not below %+v", name, s, below)
		}
	}
	if s := c.wait(t, "redis SET", 1); s.trace != begun.trace || s.attributes["db.operation.name"] != "SET" || s.kind != otlp.Span_SPAN_KIND_CLIENT {
		t.Errorf("redis SET is %+v", s)
	}
	page := c.wait(t, "/members/**", 2)
	if page.trace == begun.trace || page.attributes["hubgate.decision"] != "allow" {
		t.Errorf("the page after the login is %+v", page)
	}
	load, site := c.wait(t, "session load", 2), c.wait(t, "hubspot_site page", 1)
	if load.trace != page.trace || site.trace != page.trace || site.parent != page.id {
		t.Errorf("below the page's span %+v are %+v and %+v", page, load, site)
	}
	c.wait(t, "idp discovery", 1)
	c.wait(t, "idp jwks", 1)
	if s := c.wait(t, "hubspot_api upsert", 1); s.attributes["hubgate.op"] != "upsert" {
		t.Errorf("the contact's call is %+v", s)
	}
	if !strings.Contains(gw.out.String(), `"trace_id":"`+begun.trace+`"`) {
		t.Error("no line of the log carries the login's trace")
	}
	v.submit(v.open(w.site()+"/oauth2/session"), "sign_out", nil)
	if s := c.wait(t, "idp revoke", 1); s.trace != c.wait(t, "/oauth2/sign_out", 1).trace {
		t.Errorf("the revocation is %+v", s)
	}
	w.holdsNothingPersonal(c)
}

// holdsNothingPersonal looks through every span for what must be in none.
func (w *world) holdsNothingPersonal(c *spanCollector) {
	w.t.Helper()
	spans, raw := c.all()
	if len(spans) < 20 {
		w.t.Fatalf("only %d spans", len(spans))
	}
	doc, err := os.ReadFile(filepath.Join("..", "docs", "operations.md"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, secret := range []string{"canary-in-the-query", "handbook", email, "test-user", adminToken, sealKey, "pat-na1-e2e", "verysecure", "code=", "state=", "127.0.0.1:5", "Mozilla"} {
		if strings.Contains(raw, secret) {
			w.t.Errorf("the spans hold %q", secret)
		}
	}
	for _, s := range spans {
		for key := range s.attributes {
			if !strings.Contains(string(doc), "`"+key+"`") {
				w.t.Errorf("span %s has the attribute %s, which docs/operations.md does not list", s.name, key)
			}
		}
	}
}

const (
	foreignTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	foreignSpan  = "00f067aa0ba902b7"
	traceparent  = "00-" + foreignTrace + "-" + foreignSpan + "-01"
)

func (w *world) get(path string, header http.Header) *http.Response {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.site()+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header = header
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	return res
}

func TestATraceIsContinuedOnlyForATrustedProxy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server string
		trusts bool
	}{
		"a stranger":      {"", false},
		"a trusted proxy": {"  trusted_proxies: [127.0.0.0/8, \"::1\"]\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, collector := traced(t, c.server)
			w.serve()
			header := http.Header{"Traceparent": {traceparent}, "Tracestate": {"vendor=1"}}
			w.get("/public", header)
			s := collector.wait(t, "default", 1)
			if got := s.trace == foreignTrace && s.parent == foreignSpan; got != c.trusts {
				t.Errorf("the request's span is %+v", s)
			}
			site := collector.wait(t, "hubspot_site page", 1)
			want := ""
			if c.trusts {
				want = "00-" + foreignTrace + "-" + site.id + "-01"
			}
			seen := w.origin.requests()[0].Header
			if seen.Get("Traceparent") != want || (seen.Get("Tracestate") != "") != c.trusts {
				t.Errorf("the origin got traceparent %q and tracestate %q, want %q", seen.Get("Traceparent"), seen.Get("Tracestate"), want)
			}
			// A trusted proxy decides about recording; a stranger does not.
			w.get("/public/unrecorded", http.Header{"Traceparent": {"00-" + foreignTrace + "-" + foreignSpan + "-00"}})
			w.get("/oauth2/userinfo", http.Header{})
			collector.wait(t, "/oauth2/userinfo", 1)
			if recorded := len(collector.named("default")) == 2; recorded == c.trusts {
				t.Errorf("a traceparent that says not to record was obeyed: %v", !recorded)
			}
		})
	}
}

func TestALoginStaysOneTraceBehindAProxyThatTracesEachRequest(t *testing.T) {
	t.Parallel()
	w, c := traced(t, "  trusted_proxies: [127.0.0.0/8, \"::1\"]\n")
	w.serve()
	v := newVisitor(t)
	var sent []string // the proxy's traces, request by request
	v.client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.URL.String(), w.site()) {
			sent = append(sent, fmt.Sprintf("%032x", len(sent)+1))
			r.Header.Set("Traceparent", "00-"+sent[len(sent)-1]+"-00f067aa0ba902b7-01")
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	w.login(v, "/members/")
	begun, callback, page := c.wait(t, "/members/**", 1), c.wait(t, "/oauth2/callback", 1), c.wait(t, "/members/**", 2)
	if begun.trace != sent[0] || callback.trace != begun.trace || callback.parent != begun.id || !slices.Equal(callback.links, sent[1:2]) || page.trace != sent[2] {
		t.Errorf("the proxy's traces are %v, the login began as %+v and came back as %+v", sent, begun, callback)
	}
}

var exemplar = regexp.MustCompile(`(?m)^(hubgate_\w+)_bucket\{.* # \{trace_id="([0-9a-f]{32})"\}`)

func TestHistogramsCarryTracesAsExemplarsInOpenMetrics(t *testing.T) {
	t.Parallel()
	w, c := traced(t, "")
	w.serve()
	w.login(newVisitor(t), "/members/")
	login := c.wait(t, "/oauth2/callback", 1)
	read := func(accept string) (string, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address(w.adminPort)+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		return fetch(t, req)
	}
	text, kind := read("application/openmetrics-text; version=1.0.0")
	if !strings.HasPrefix(kind, "application/openmetrics-text") || !strings.HasSuffix(text, "# EOF\n") {
		t.Fatalf("OpenMetrics was asked for, %q came", kind)
	}
	traces := map[string][]string{}
	for _, m := range exemplar.FindAllStringSubmatch(text, -1) {
		traces[m[1]] = append(traces[m[1]], m[2])
	}
	for _, name := range []string{"hubgate_http_request_duration_seconds", "hubgate_http_overhead_seconds", "hubgate_upstream_duration_seconds",
		"hubgate_dependency_duration_seconds", "hubgate_auth_login_duration_seconds"} {
		if len(traces[name]) == 0 {
			t.Errorf("%s has no exemplar", name)
		}
	}
	if got := traces["hubgate_auth_login_duration_seconds"]; len(got) != 1 || got[0] != login.trace {
		t.Errorf("the login's exemplar is %v, its trace %s", got, login.trace)
	}
	if text, _ := read("text/plain"); strings.Contains(text, "trace_id") {
		t.Error("the old text format cannot hold exemplars, but does")
	}
}

func TestALostCollectorTouchesNoRequestAndIsToldOnce(t *testing.T) {
	t.Parallel()
	w, c := traced(t, "")
	c.Close()
	gw := w.serve()
	w.login(newVisitor(t), "/members/")
	for range 50 {
		if res := w.get("/public", http.Header{}); res.StatusCode != http.StatusOK {
			t.Fatalf("%d", res.StatusCode)
		}
	}
	gw.says("the trace collector is unavailable")
	if code := gw.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if n := strings.Count(gw.out.String(), "the trace collector is unavailable"); n != 1 {
		t.Errorf("it was told %d times", n)
	}
	lines(t, gw) // OpenTelemetry writes nothing of its own between them
}

func readAll(res *http.Response) (string, error) {
	text, err := io.ReadAll(res.Body)
	return string(text), err
}

func fetch(t *testing.T, req *http.Request) (body, contentType string) {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := readAll(res)
	if err != nil {
		t.Fatal(err)
	}
	return text, res.Header.Get("Content-Type")
}
