package hubspot

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// storms are ways in which HubSpot rejects many calls with 429.
func storms() map[string]func(n int, w http.ResponseWriter) bool {
	answer := func(w http.ResponseWriter, policy, retryAfter string) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprintf(w, `{"status":"error","message":"You have reached your limit.","errorType":"RATE_LIMIT",`+
			`"category":"RATE_LIMITS","policyName":%q}`, policy)
	}
	return map[string]func(n int, w http.ResponseWriter) bool{
		"two of three in the window": func(n int, w http.ResponseWriter) bool {
			if n%3 == 0 {
				return false
			}
			answer(w, "TEN_SECONDLY_ROLLING", "")
			return true
		},
		"thirty in a row, with Retry-After": func(n int, w http.ResponseWriter) bool {
			if n > 30 {
				return false
			}
			answer(w, "SECONDLY", "3")
			return true
		},
		"Retry-After in milliseconds": func(n int, w http.ResponseWriter) bool {
			if n%2 == 0 {
				return false
			}
			answer(w, "TEN_SECONDLY_ROLLING", "10000")
			return true
		},
		"the day is used up for 15 minutes": func(_ int, w http.ResponseWriter) bool {
			if time.Now().Minute() >= 15 {
				return false
			}
			answer(w, "DAILY", "")
			return true
		},
		"without a body": func(n int, w http.ResponseWriter) bool {
			if n > 6 && rand.New(rand.NewPCG(1, uint64(n))).IntN(4) == 0 {
				return false
			}
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		},
	}
}

func TestStormOf429LosesNothing(t *testing.T) {
	t.Parallel()
	for name, storm := range storms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := &faultyAPI{fail: func(n int, w http.ResponseWriter, _ *http.Request) bool { return storm(n, w) }}
				e := newEnv(t, usualProperties(), api.wrap)
				replicas := []*replica{e.startReplica(), e.startReplica()}
				logins := make([]int, 250)
				for i := range 500 {
					person := i % len(logins)
					logins[person]++
					e.enqueue(replicas[i%2], outageLogin(person, logins[person]))
				}
				e.waitFor("the queue is empty", func() bool {
					s, err := replicas[0].Status(t.Context())
					return err == nil && s.Queued+s.Delayed+s.InFlight == 0
				})
				e.checkLatest(logins)
				api.checkBudget(t, e.cfg.RateLimit)
				if s, err := replicas[1].Status(t.Context()); err != nil || s.Dead != 0 || len(s.RejectedProperties) != 0 {
					t.Errorf("%+v %v", s, err)
				}
				sick := slices.ContainsFunc(replicas, func(r *replica) bool { ok, _, _ := r.Health(); return !ok })
				if e.fake.Over() != 0 || sick {
					t.Errorf("%d calls over the limit; unhealthy at the end: %v", e.fake.Over(), sick)
				}
			})
		})
	}
}
