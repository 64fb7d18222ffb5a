package middleware

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/inbound"
)

// TestFailedLoginAuditNamesTheCause matters with log.access: false, when there is no access line.
func TestFailedLoginAuditNamesTheCause(t *testing.T) {
	t.Parallel()
	refused := errors.New("auth: invalid_request: write auth.client_auth: body")
	unreachable := errors.New("auth: dial tcp: no route to host")
	for name, c := range map[string]struct {
		outcome inbound.Outcome
		status  int
		lines   []string
	}{
		"a refusal": {inbound.Outcome{Decision: "error", Login: true, Reason: "token_endpoint", Err: refused}, 500, []string{
			`"reason":"token_endpoint"`, "invalid_request", "auth.client_auth: body", `"status":500`,
		}},
		"no answer": {inbound.Outcome{Decision: "error", Login: true, Reason: "provider", Err: unreachable}, 503, []string{
			`"reason":"provider"`, "no route to host",
		}},
		"an error of the visitor": {inbound.Outcome{Decision: "error", Login: true, Reason: "state"}, 400, []string{
			`"reason":"state"`, `"outcome":"failure"`,
		}},
		"an invalid token": {inbound.Outcome{Decision: "error", Login: true, Granted: true, Reason: "token"}, 502,
			[]string{`"reason":"token"`, `"status":502`},
		},
		"a successful login": {inbound.Outcome{Login: true}, 302, nil},
	} {
		var out bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&out, nil))
		logs := RequestLogs{Audit: log, Failures: NewLoginFailures(log, time.Now)}
		next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inbound.Of(r).Outcome = c.outcome
			w.WriteHeader(c.status)
		})
		r := httptest.NewRequest(http.MethodGet, "/oauth2/callback", nil)
		r = r.WithContext(inbound.With(r.Context(), &inbound.Facts{}))
		Observed(logs, NewMetrics(prometheus.NewRegistry()), next).ServeHTTP(httptest.NewRecorder(), r)
		if (out.Len() == 0) != (c.lines == nil) {
			t.Errorf("%s: %s", name, out.String())
		}
		for _, word := range c.lines {
			if !strings.Contains(out.String(), word) {
				t.Errorf("%s: %s is not in %s", name, word, out.String())
			}
		}
	}
}
