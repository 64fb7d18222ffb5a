package hubspot

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLoginsSentKnowsOnlyWhatHubSpotAccepted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, reject := newRejectingEnv(t)
		r := e.startReplica()
		sent := func(emails ...string) map[string]time.Time {
			t.Helper()
			times, err := r.outbox.LoginsSent(t.Context(), emails)
			if err != nil {
				t.Fatal(err)
			}
			return times
		}
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		if got := sent("ada@example.com", "bob@example.com"); len(got) != 0 {
			t.Errorf("of a rejected login: %v", got)
		}
		reject.Store(false)
		other := testLogin("ADA@example.com") // the same address of another user
		other.Subject = "another"
		e.enqueue(r, other)
		e.waitDrained(r)
		at := sent("Ada@Example.com", "bob@example.com")["Ada@Example.com"]
		if time.Since(at) > time.Minute || at.After(time.Now()) {
			t.Errorf("sent at %v", at)
		}
		time.Sleep(time.Hour)
		if err := r.Create(t.Context(), "ada@example.com"); err != nil {
			t.Fatal(err)
		}
		e.waitDrained(r)
		if got := sent("ada@example.com")["ada@example.com"]; !got.Equal(at) {
			t.Errorf("constants count as a login: %v, then %v", at, got)
		}
		r.stop()
		time.Sleep(401 * 24 * time.Hour)
		if got := sent("ada@example.com"); len(got) != 0 {
			t.Errorf("after 401 days: %v", got)
		}
	})
}
