package hubspot

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRefusedTokenIsReported checks that the metric of the API can show for how long HubSpot rejects the token, and
// that failures of another kind are left to the probe.
func TestRefusedTokenIsReported(t *testing.T) {
	t.Parallel()
	scopes := `,"context":{"requiredGranularScopes":["crm.objects.contacts.write"]}`
	for name, c := range map[string]struct {
		fault   fault
		refused bool
	}{
		"token":     {fault{Status: 401, Body: problemJSON("INVALID_AUTHENTICATION", "")}, true},
		"scopes":    {fault{Status: 403, Body: problemJSON("MISSING_SCOPES", scopes)}, true},
		"limit":     {fault{Status: 429, Body: problemJSON("RATE_LIMITS", `,"policyName":"DAILY"`)}, false},
		"accepted":  {fault{}, false},
		"migration": {fault{Status: 477}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties())
				r := e.replica()
				var told atomic.Int64
				r.deps.Refused = func() { told.Add(1) }
				if c.fault.Path = upsertPath; c.fault.Status != 0 {
					e.fake.Next(c.fault, c.fault)
				}
				e.start(r)
				e.enqueue(r, testLogin("ada@example.com"))
				time.Sleep(2500 * time.Millisecond)
				if n := told.Load(); (r.Refusal() != nil) != c.refused || (n > 0) != c.refused {
					t.Errorf("refused: %v, told %d times", r.Refusal(), n)
				}
				e.setToken("pat-na1-other")
				e.waitDrained(r)
				if err := r.Refusal(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
