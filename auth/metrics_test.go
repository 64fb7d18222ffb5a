package auth

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubgate/hubgate/internal/setting"
)

// finished returns the logins that were counted, by result and reason, without zeros.
func (w *world) finished() map[string]float64 {
	w.t.Helper()
	counter, counted, series := w.handler.deps.Metrics.finished, map[string]float64{}, 1
	read := func(result string, reasons []string) {
		series += len(reasons)
		for _, reason := range reasons {
			if n := testutil.ToFloat64(counter.WithLabelValues(result, reason)); n > 0 {
				counted[result+" "+reason] = n
			}
		}
	}
	read(resultFailed, failedCauses())
	read(resultReported, reportedCauses())
	if n := testutil.CollectAndCount(counter); n != series {
		w.t.Errorf("%d series, not %d: one did not exist from the start", n, series)
	}
	return counted
}

// toCallback returns the callback of a login that the provider has accepted, and its browser.
func (w *world) toCallback() (*browser, string) {
	w.t.Helper()
	b := w.browser()
	return b, w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
}

// Alerts rest on the result failed. What a callback's address claims, which needs no account, must be apart from it.
func TestLoginsThatOnlyAnAddressCallsFailedAreCountedApart(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"error=unauthorized_client":                                       "reported provider",
		"error=temporarily_unavailable":                                   "reported provider",
		"error=server_error":                                              "reported provider",
		"error=made_up":                                                   "reported provider",
		"error=server_error&error_description=timed+out":                  "reported timeout",
		"error=access_denied":                                             "reported denied",
		"error=login_required":                                            "reported login_required",
		"error=invalid_request&error_description=failed+with+error":       "reported rule",
		"error=invalid_request&error_description=attributes+required":     "reported attribute",
		"code=a&iss=https://evil.example":                                 "reported token",
		"error=unauthorized_client&iss=https://evil.example":              "reported token",
		"code=made_up":                                                    "failed used",
		"code=a&code=b":                                                   "failed state",
		"error=invalid_request&error_description=x&error=invalid_request": "failed state",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.callbackWith(query)
			if d := cmp.Diff(map[string]float64{want: 1}, w.finished()); d != "" {
				t.Errorf("-want +counted\n%s", d)
			}
		})
	}
}

func TestEveryFailedLoginIsCounted(t *testing.T) {
	t.Parallel()
	for want, fail := range map[string]func(*world){
		"failed store": func(w *world) {
			b, callback := w.toCallback()
			w.redis.SetError("ERR unavailable")
			b.step(callback)
		},
		"failed provider": func(w *world) { // cannot start
			w.instead = http.NotFoundHandler()
			w.browser().step(w.gateway.URL + "/members/")
		},
		"failed login_rate": func(w *world) {
			b := w.browser()
			b.step(w.gateway.URL + "/members/")
			b.step(w.gateway.URL + "/members/")
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w *world) {
				w.cfg.LoginRate = setting.Rate{Requests: 1, Per: setting.Duration(time.Hour)}
			})
			fail(w)
			if d := cmp.Diff(map[string]float64{want: 1}, w.finished()); d != "" {
				t.Errorf("-want +counted\n%s", d)
			}
		})
	}
}
