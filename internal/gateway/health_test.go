package gateway

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/configtest"
)

func TestReadinessReportsChecksAndFailsOnlyIfStrict(t *testing.T) {
	t.Parallel()
	o := newOperator(t, withToken)
	ready := func(target string) (int, admin.Health) {
		got := o.send("GET", target, "", header("Authorization"))
		var h admin.Health
		if err := json.Unmarshal(got.Body.Bytes(), &h); err != nil {
			t.Fatalf("%v: %s", err, got.Body)
		}
		return got.Code, h
	}
	status, h := ready("/readyz")
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(h.Checks)) {
		if c := h.Checks[name]; c.Detail == "" || c.Since.Year() < 2020 {
			t.Errorf("%s: %+v", name, c)
		}
		parts = append(parts, name)
	}
	d := cmp.Diff([]string{"config", "hubspot_api", "hubspot_site", "idp", "redis"}, parts)
	if d != "" || status != http.StatusOK || h.Status != "ok" {
		t.Errorf("%d %s %s", status, h.Status, d)
	}
	o.gateway.redis.Embedded.Close()
	probe := o.gateway.redis.Probe
	probe.Record(probe.Check(t.Context(), true))
	for target, want := range map[string]int{
		"/readyz": 200, "/readyz?strict=1": 503, "/readyz?strict=0": 200, "/livez": 200, "/startupz": 200,
	} {
		if got := o.send("GET", target, "", header("Authorization")); got.Code != want {
			t.Errorf("Redis is down: %s: status %d, want %d", target, got.Code, want)
		}
	}
	if _, h := ready("/readyz"); h.Status != "degraded" || h.Checks["redis"].OK {
		t.Errorf("Redis is down: %+v", h)
	}
	o.gateway.drainer.draining.Store(true)
	for target, want := range map[string]int{"/readyz": 503, "/readyz?strict=1": 503, "/livez": 200} {
		if got := o.send("GET", target, "", header("Authorization")); got.Code != want {
			t.Errorf("draining: %s: status %d, want %d", target, got.Code, want)
		}
	}
	if _, h := ready("/readyz"); h.Status != "draining" {
		t.Errorf("draining: %+v", h)
	}
}

func TestConfigEndpointMasksSecrets(t *testing.T) {
	t.Parallel()
	o := newOperator(t, withToken)
	text := o.send("GET", "/config", "", nil).Body.String()
	for _, secret := range []string{
		configtest.AdminToken, "a-client-secret", "a-token", configtest.Environment("HUBGATE_KEY"),
	} {
		if strings.Contains(text, secret) {
			t.Errorf("/config contains %q", secret)
		}
	}
	if strings.Count(text, `<secret>`) < 4 {
		t.Errorf("secrets are missing, or masked in another way:\n%s", text)
	}
}

func TestVersionEndpointReturnsTheBuild(t *testing.T) {
	t.Parallel()
	var b buildinfo.Info
	body := newOperator(t, "").send("GET", "/version", "", nil).Body.Bytes()
	if err := json.Unmarshal(body, &b); err != nil || b != buildinfo.Read() {
		t.Errorf("%v %+v", err, b)
	}
}

func TestMetricsAreOpenMetricsOnRequest(t *testing.T) {
	t.Parallel()
	o := newOperator(t, "")
	for accept, want := range map[string]string{
		"": "text/plain", "text/html": "text/plain",
		"application/openmetrics-text;version=1.0.0": "application/openmetrics-text",
	} {
		got := o.send("GET", "/metrics", "", header("Accept", accept))
		kind := got.Header().Get("Content-Type")
		if !strings.HasPrefix(kind, want) || !strings.Contains(got.Body.String(), "hubgate_build_info{") {
			t.Errorf("Accept %q: %s", accept, kind)
		}
	}
}

// HAProxy sends OPTIONS, and to / if it is given no path. Probes are often written with a slash at the end.
func TestProbesAcceptOptionsAndTrailingSlash(t *testing.T) {
	t.Parallel()
	o := newOperator(t, withToken)
	noHost := func(r *http.Request) { r.Host, r.Proto, r.ProtoMinor = "", "HTTP/1.0", 0 }
	answered := map[string]bool{"OPTIONS /": true, "GET /": false, "OPTIONS //": false}
	for _, path := range []string{"/livez", "/readyz", "/healthz", "/startupz"} {
		for _, method := range []string{"GET ", "HEAD ", "OPTIONS "} {
			answered[method+path], answered[method+path+"/"] = true, true
			answered[method+path+"/x"], answered[method+"/"+path] = false, false
		}
		answered["POST "+path], answered["DELETE "+path+"/"] = false, false
	}
	for request, want := range answered {
		method, path, _ := strings.Cut(request, " ")
		got := o.send(method, path, "", noHost)
		if allow := got.Header().Get("Allow") != ""; (got.Code == http.StatusOK) != want ||
			allow != (want && method == "OPTIONS") {
			t.Errorf("%s: %d, Allow %v", request, got.Code, allow)
		}
	}
	o.gateway.drainer.draining.Store(true)
	for request, want := range map[string]int{
		"OPTIONS /": 503, "OPTIONS /readyz/": 503, "GET /healthz": 503, "HEAD /healthz/": 503, "OPTIONS /livez/": 200,
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := o.send(method, path, "", noHost); got.Code != want {
			t.Errorf("draining: %s: %d", request, got.Code)
		}
	}
}
