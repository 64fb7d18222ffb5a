package hubspot

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
