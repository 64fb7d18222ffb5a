package proxy

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// An Upgrade to anything but a WebSocket is ignored (RFC 9110, section 7.8): a visitor must not be able to make the
// origin look faulty.
func TestUnprintableUpgradeIsIgnored(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, headersOf)
	s := newStage(t, staging{cfg: testConfig(origin.URL, loginRule("/members/**"))})
	for _, headers := range [][]string{
		{"Connection: Upgrade", "Upgrade: w\xe9bsocket"},
		{"Connection: Upgrade", "Upgrade: web\u017focket"},
		{"Connection: Upgrade", "Upgrade: webSoc\u212aet"},
		{"Connection: upgrade, keep-alive", "Upgrade: \xff"},
		{"Connection: keep-alive", "Connection: UPGRADE", "Upgrade: \u00a0websocket"},
		{"Connection: Upgrade", "Upgrade: \xe9", "Upgrade: websocket"},
		{"Connection: \u00a0upgrade", "Upgrade: websocket"},
		{"Connection: upgrade\u00a0", "Upgrade: w\xe9bsocket"},
		{"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"},
		{"Connection: Upgrade, TE, \xe9", "Upgrade: TLS/1.0, \xe9", "TE: trailers, \xe9"},
		{"Connection: TE", "TE: \xe9;q=1, trailers"},
		{"Connection: Upgrade", "Upgrade: websocket\tx"},
	} {
		for _, target := range []string{"/public", "/members/x"} {
			for _, method := range []string{"GET", "DELETE"} {
				got := s.get(t, method, target, append(headers, asBob, "X-Kept: 1")...)
				if got.StatusCode >= 500 {
					t.Errorf("%s %s %q: %d", method, target, headers, got.StatusCode)
				}
				for _, name := range []string{"\nUpgrade:", "\nConnection:", "\nTe:", "\nHttp2-Settings:"} {
					if strings.Contains(got.body, name) {
						t.Errorf("%s %s %q: the origin sees\n%q", method, target, headers, got.body)
					}
				}
				if got.StatusCode == http.StatusOK && !strings.Contains(got.body, "\nX-Kept: 1") {
					t.Errorf("%s %s %q: %q", method, target, headers, got.body)
				}
			}
		}
	}
	if n := testutil.ToFloat64(s.deps.Metrics.errors.WithLabelValues("reset")); n != 0 {
		t.Errorf("the origin is blamed %v times", n)
	}
}

func TestUpgradeStaysInVisitorsRequest(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header = http.Header{"Connection": {"Upgrade, X-Named"}, "Upgrade": {"h2c"}, "X-Named": {"1"}}
	out := withoutUpgrade(r)
	if out.Header["Upgrade"] != nil || out.Header["Connection"] == nil {
		t.Errorf("it becomes %v", out.Header)
	}
	if r.Header.Get("Upgrade") != "h2c" {
		t.Errorf("the visitor's becomes %v", r.Header)
	}
}
