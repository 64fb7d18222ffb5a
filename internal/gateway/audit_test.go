package gateway

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
	"github.com/hubgate/hubgate/internal/middleware"
)

// With log.access: false there is no access line, and the audit line is all that the operator has.
func TestAuditNamesTheCauseOfAFailedLogin(t *testing.T) {
	t.Parallel()
	refused := errors.New("auth: invalid_request: write auth.client_auth: body")
	unreachable := errors.New("auth: dial tcp: no route to host")
	for name, c := range map[string]struct {
		outcome inbound.Outcome
		status  int
		says    []string
	}{
		"a refusal": {inbound.Outcome{Decision: "error", Login: true, Reason: "token_endpoint", Err: refused}, 500, []string{
			`"reason":"token_endpoint"`, "invalid_request", "auth.client_auth: body", `"status":500`,
		}},
		"no answer": {inbound.Outcome{Decision: "error", Login: true, Reason: "provider", Err: unreachable}, 503, []string{
			`"reason":"provider"`, "no route to host",
		}},
		"a visitor's own doing": {inbound.Outcome{Decision: "error", Login: true, Reason: "state"}, 400, []string{
			`"reason":"state"`, `"outcome":"failure"`,
		}},
		"a token that does not hold": {inbound.Outcome{Decision: "error", Login: true, Granted: true, Reason: "token"}, 502,
			[]string{`"reason":"token"`, `"status":502`},
		},
		"a login that worked": {inbound.Outcome{Login: true}, 302, nil},
	} {
		var out bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&out, nil))
		logs := middleware.RequestLogs{Audit: log, Failures: middleware.NewLoginFailures(log, time.Now)}
		next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inbound.Of(r).Outcome = c.outcome
			w.WriteHeader(c.status)
		})
		r := httptest.NewRequest(http.MethodGet, "/oauth2/callback", nil)
		r = r.WithContext(inbound.With(r.Context(), &inbound.Facts{}))
		middleware.Observed(logs, middleware.NewMetrics(prometheus.NewRegistry()), next).ServeHTTP(httptest.NewRecorder(), r)
		if (out.Len() == 0) != (c.says == nil) {
			t.Errorf("%s: %s", name, out.String())
		}
		for _, word := range c.says {
			if !strings.Contains(out.String(), word) {
				t.Errorf("%s: %s is not in %s", name, word, out.String())
			}
		}
	}
}
