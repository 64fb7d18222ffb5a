package access

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/ratelimit"
	"github.com/hubgate/hubgate/internal/setting"
)

// outages are ways in which HubSpot answers no calls.
func outages() map[string]func(apiCall) *http.Response {
	hubspotError := func(status int, category, message string) func(apiCall) *http.Response {
		return failWith(status, map[string]any{"status": "error", "category": category, "message": message,
			"correlationId": "11111111-2222-3333-4444-555555555555"})
	}
	return map[string]func(apiCall) *http.Response{
		"down":           failWith(http.StatusServiceUnavailable, nil),
		"token rejected": hubspotError(http.StatusUnauthorized, "INVALID_AUTHENTICATION", "Authentication not valid"),
		"rate limit":     hubspotError(http.StatusTooManyRequests, "RATE_LIMITS", "ten_secondly limit reached"),
		"scope missing": func(c apiCall) *http.Response {
			if !c.lists {
				return nil
			}
			return respond(http.StatusForbidden, map[string]any{
				"status": "error", "category": "MISSING_SCOPES", "message": "This app hasn't been granted all required scopes",
				"errors": []any{map[string]any{"message": "scopes",
					"context": map[string][]string{"requiredGranularScopes": {"crm.lists.read"}}}},
			})
		},
	}
}

func TestOutagesUseWhatIsKnownUpToMaxStale(t *testing.T) {
	t.Parallel()
	for name, refuse := range outages() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				a, ada := w.replica(), w.member("ada", "101", "1")
				first := w.know(a, ada, false)
				w.hubspot.setRefuse(refuse)
				for time.Since(first.ReadAt) < w.cfg.MaxStale.D() {
					if known := w.know(a, ada, true); known == nil || !known.ReadAt.Equal(first.ReadAt) {
						t.Fatalf("after %s: %+v", time.Since(first.ReadAt), known)
					}
					time.Sleep(17 * time.Second)
				}
				if known := w.know(a, ada, false); known != nil {
					t.Errorf("after max_stale: %+v", known)
				}
				if begun, over := w.log.count("cannot be asked"), w.log.count("answers about"); begun != 1 || over != 0 {
					t.Errorf("logged %d and %d times", begun, over)
				}
				w.hubspot.setRefuse(nil)
				time.Sleep(time.Minute)
				if known := w.know(a, ada, false); known == nil || !known.Lists["1"] {
					t.Errorf("afterwards: %+v", known)
				}
				if n := w.log.count("answers about visitors again"); n != 1 {
					t.Errorf("the recovery is logged %d times", n)
				}
				if limited := name == "rate limit"; limited != (w.pauses.Load() > 0) {
					t.Errorf("%d pauses", w.pauses.Load())
				}
			})
		})
	}
}

func TestVisitorsDoNotWaitDuringOutages(t *testing.T) {
	t.Parallel()
	for name, refuse := range outages() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				a := w.replica()
				w.hubspot.setRefuse(refuse)
				w.know(a, w.member("first", "100", "1"), false)
				for i := range 600 {
					s := w.member("m"+strconv.Itoa(i), strconv.Itoa(1000+i), "1")
					if known, took := w.timed(a, s, false); known != nil || took != 0 {
						t.Fatalf("%+v after %s", known, took)
					}
					time.Sleep(time.Second)
				}
				if calls := w.hubspot.received(); len(calls) > 2 {
					t.Errorf("visitors cause %d calls", len(calls))
				}
			})
		})
	}
}

func TestSlowHubSpotAnswersTheNextRequest(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		w.hubspot.setLatency(10 * time.Second)
		known, took := w.timed(a, ada, false)
		if known != nil || took != longestWait {
			t.Errorf("%+v after %s", known, took)
		}
		if known, took := w.timed(a, ada, false); known != nil || took != 0 {
			t.Errorf("waits again: %+v after %s", known, took)
		}
		time.Sleep(20 * time.Second)
		if known, took := w.timed(a, ada, false); known == nil || took != 0 {
			t.Errorf("%+v after %s", known, took)
		}
		if calls := w.hubspot.received(); len(calls) != 2 {
			t.Errorf("%d calls", len(calls))
		}
	})
}

func TestHangingHubSpotIsAnOutage(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		w.hubspot.setLatency(time.Hour)
		w.know(a, ada, false)
		time.Sleep(time.Minute)
		if known, took := w.timed(a, w.member("bob", "102"), false); known != nil || took != 0 {
			t.Errorf("%+v after %s", known, took)
		}
		w.hubspot.setLatency(0)
		time.Sleep(time.Minute)
		if known := w.know(a, ada, false); known == nil {
			t.Error("unknown after the outage")
		}
	})
}

func TestKnowWithoutRedisUsesItsCopy(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		first := w.know(a, ada, false)
		broken := &brokenReader{Reader: a.deps.Urgent, failure: errors.New("cannot read the rate limit from Redis")}
		a.deps.Urgent, a.deps.Spare = broken, broken
		w.stopRedis()
		for time.Since(first.ReadAt) < w.cfg.MaxStale.D() {
			if known := w.know(a, ada, false); known == nil {
				t.Fatalf("unknown after %s", time.Since(first.ReadAt))
			}
			time.Sleep(time.Minute)
		}
		if known := w.know(a, ada, false); known != nil {
			t.Errorf("after max_stale: %+v", known)
		}
		if known := w.know(a, w.member("bob", "102", "1"), false); known != nil {
			t.Errorf("of another person: %+v", known)
		}
	})
}

func TestPropertyThatCannotBeReadIsAnOutage(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.replica()
		w.hubspot.setRefuse(func(c apiCall) *http.Response {
			if slices.Contains(c.properties, "tier") {
				return respond(http.StatusBadRequest, map[string]string{"status": "error", "category": "VALIDATION_ERROR"})
			}
			return nil
		})
		w.know(a, w.member("ada", "101", "1"), false)
		w.hubspot.received()
		for i := range 100 {
			w.know(a, w.member("m"+strconv.Itoa(i), strconv.Itoa(1000+i), "1"), false)
			time.Sleep(time.Second)
		}
		if calls := w.hubspot.received(); len(calls) > 0 {
			t.Errorf("%d calls about visitors", len(calls))
		}
		if begun, over := w.log.count("cannot be asked"), w.log.count("visitors again"); begun != 1 || over != 0 {
			t.Errorf("logged %d and %d times", begun, over)
		}
		w.cfg.Properties = nil
		a.Set(w.cfg)
		a.Retry()
		time.Sleep(time.Second)
		if known := w.know(a, visitor("ada"), false); known == nil || !known.Lists["1"] {
			t.Errorf("after the reload: %+v", known)
		}
	})
}

func TestOutageOfRedisIsNotCalledHubSpots(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		limits := ratelimit.New(ratelimit.Deps{Redis: w.dial(), KeyPrefix: "hubgate:", Now: time.Now})
		limits.Set(setting.Rate{Requests: 90, Per: setting.Duration(10 * time.Second)})
		a := w.replica()
		healthy := a.deps.Spare
		w.mini.SetError("MISCONF Redis cannot write")
		_, failure := limits.Visitors.Acquire(t.Context())
		w.mini.SetError("")
		a.deps.Urgent, a.deps.Spare = &brokenReader{healthy, failure}, &brokenReader{healthy, failure}
		if known := w.know(a, w.member("ada", "101", "1"), false); known != nil {
			t.Errorf("known without a call: %+v", known)
		}
		detail, _, wrong := a.Health()
		if !wrong || !strings.Contains(detail, "HubSpot is not the cause") || !strings.Contains(detail, "MISCONF") {
			t.Errorf("/readyz: %q", detail)
		}
		if redis, hubspot := w.log.count("while Redis fails"), w.log.count("cannot be asked"); redis != 1 || hubspot != 0 {
			t.Errorf("logged %d times about Redis, %d times about HubSpot", redis, hubspot)
		}
	})
}

func TestSwitchingOffDropsCopies(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		w.know(a, ada, false)
		time.Sleep(time.Second) // the answer is in Redis
		a.Set(Config{})
		w.mini.FlushAll()
		a.Set(w.cfg)
		w.hubspot.received()
		if known := w.know(a, ada, false); known == nil || len(w.hubspot.received()) == 0 {
			t.Errorf("the copy from before was used: %+v", known)
		}
	})
}

// panicking is a Reader with a bug.
type panicking struct{ Reader }

// Lookup panics.
func (panicking) Lookup(context.Context, []string, []string) (map[string]crm.LookupResult, error) {
	panic("a bug")
}

func TestPanicOfAReadEndsTheWait(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		healthy := a.deps.Urgent
		a.deps.Urgent = panicking{healthy}
		if known, took := w.timed(a, ada, false); known != nil || took >= time.Second {
			t.Errorf("%+v after %s", known, took)
		}
		time.Sleep(time.Minute)
		a.deps.Urgent = healthy
		if known := w.know(a, ada, false); known == nil {
			t.Error("unknown afterwards")
		}
	})
}
