package hubspot

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/setting"
)

func TestStatusSaysWhyCallsArePaused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		option option
		fault  fault
		want   []string
	}{
		"rejected token": {func(c *fakehubspot.Config) { c.Token = "other" }, fault{},
			[]string{"401", "hubspot.access_token"}},
		"missing scope": {func(c *fakehubspot.Config) { c.Scopes = []string{"crm.schemas.contacts.read"} }, fault{},
			[]string{"403", "crm.objects.contacts.write"}},
		"daily limit": {nil, fault{Path: upsertPath, Status: 429,
			Body: problemJSON("RATE_LIMITS", `,"policyName":"DAILY"`)}, []string{"429", "daily"}},
		"ten-second limit": {nil, fault{Path: upsertPath, Status: 429,
			Body: problemJSON("RATE_LIMITS", `,"policyName":"TEN_SECONDLY_ROLLING"`)},
			[]string{"429", "hubspot.rate_limit"}},
		"account migration": {nil, fault{Path: upsertPath, Status: 477, Header: map[string]string{"Retry-After": "60"}},
			[]string{"477"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if c.option == nil {
					c.option = func(*fakehubspot.Config) {}
				}
				e := newEnv(t, usualProperties(), c.option)
				if c.fault.Status != 0 {
					e.fake.Next(c.fault)
				}
				r := e.startReplica()
				e.enqueue(r, testLogin("ada@example.com"))
				var s outbox.Status
				e.waitFor("calls are paused", func() bool {
					s, _ = r.Status(t.Context())
					return s.PausedUntil != nil
				})
				for _, part := range c.want {
					if !strings.Contains(s.PausedBecause, part) {
						t.Errorf("%q lacks %q", s.PausedBecause, part)
					}
				}
			})
		})
	}
}

func TestStatusCountsHeldApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
		r := e.startReplica()
		for range 2 {
			e.enqueue(r, testLogin("ada@example.com"))
			e.enqueue(r, testLogin("bob@example.com"))
			time.Sleep(10 * time.Second)
		}
		s, err := r.Status(t.Context())
		if err != nil || s.Held != 2 || s.Queued+s.Delayed+s.InFlight != 0 {
			t.Errorf("%+v %v", s, err)
		}
		if n, held := testutil.ToFloat64(r.deps.Metrics.queueLength),
			testutil.ToFloat64(r.deps.Metrics.queueHeld); n != 0 || held != 2 {
			t.Errorf("gauges: %v, %v held", n, held)
		}
		encoded, err := json.Marshal(s)
		if text := string(encoded); err != nil || !strings.Contains(text, `"held":2`) ||
			!strings.Contains(text, `"paused_because":""`) || !strings.Contains(text, `"unseen_claims":[`) {
			t.Error(text, err)
		}
		if _, err := r.Send(t.Context(), "ada@example.com"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if s, err = r.Status(t.Context()); err != nil || s.Held != 1 || s.Queued+s.Delayed+s.InFlight != 0 {
			t.Errorf("after one was sent: %+v %v", s, err)
		}
	})
}

// TestGaugesAreSetWhileACallHangs checks that logins are counted that arrive while HubSpot does not answer.
func TestGaugesAreSetWhileACallHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.fake.Next(fault{Path: upsertPath, Hang: true})
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		time.Sleep(5 * time.Second)
		for i := range 3 {
			e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", i)))
			time.Sleep(2 * time.Second)
			if n := testutil.ToFloat64(r.deps.Metrics.queueLength); n != float64(i+2) {
				t.Errorf("%v entries after %d", n, i+2)
			}
		}
		if age := testutil.ToFloat64(r.deps.Metrics.queueOldest); age < 9 || age > 12 {
			t.Errorf("the oldest is %v s old", age)
		}
		e.waitDrained(r)
	})
}

func TestInternationalizedAddressBecomesContact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.startReplica()
		for range 2 {
			e.enqueue(r, testLogin("Bob@müller.example"))
			e.waitDrained(r)
		}
		if c := e.contact("bob@xn--mller-kva.example"); len(e.fake.Contacts()) != 1 || c["portal_logins"] != "2" {
			t.Errorf("%v", e.fake.Contacts())
		}
	})
}

// TestHeldEntriesOfOlderVersionsAreMoved checks that entries that an older version counted as delayed are held.
func TestHeldEntriesOfOlderVersionsAreMoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
		r := e.startReplica()
		for range 2 {
			e.enqueue(r, testLogin("ada@example.com"))
			time.Sleep(10 * time.Second)
		}
		r.stop()
		scores, err := e.mini.SortedSet("hubgate:{crm}:held")
		if err != nil || len(scores) != 1 {
			t.Fatal(scores, err)
		}
		e.mini.Del("hubgate:{crm}:held")
		for id, at := range scores {
			if _, err := e.mini.ZAdd("hubgate:{crm}:due", at, id); err != nil {
				t.Fatal(err)
			}
		}
		r = e.startReplica()
		time.Sleep(10 * time.Second)
		if s, err := r.Status(t.Context()); err != nil || s.Held != 1 || s.Delayed != 0 {
			t.Errorf("%+v %v", s, err)
		}
	})
}
