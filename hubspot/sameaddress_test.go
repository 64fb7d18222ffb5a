package hubspot

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/setting"
)

// TestHeldLoginDelaysNoOtherPersonOfTheAddress checks a native and a federated account with one address: the newer
// login arrives at once, and what is held of the older one does not overwrite it later.
func TestHeldLoginDelaysNoOtherPersonOfTheAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
		r := e.startReplica()
		for range 2 {
			e.enqueue(r, testLogin("ada@example.com"))
			time.Sleep(time.Minute)
		}
		if s, err := r.Status(t.Context()); err != nil || s.Held != 1 {
			t.Fatalf("%+v, %v", s, err)
		}
		other := testLogin("ada@example.com")
		other.Subject, other.Claims = "federated", map[string]any{"given_name": "Augusta"}
		e.enqueue(r, other)
		time.Sleep(time.Minute)
		for _, wait := range []time.Duration{0, 2 * time.Hour} {
			time.Sleep(wait)
			if c := e.contact("ada@example.com"); c["firstname"] != "Augusta" {
				t.Errorf("%v later: %v", wait, c)
			}
		}
		e.waitDrained(r)
	})
}

// TestFailingImportDoesNotDelayTheLogin checks that a row of a file that HubSpot fails to write does not hold up the
// login of the same address, whether the row has the subject or not.
func TestFailingImportDoesNotDelayTheLogin(t *testing.T) {
	t.Parallel()
	for name, sub := range map[string]string{"without sub": "", "with another sub": "another"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newPoisonedEnv(t, badContact{arrange: dislike(fakehubspot.Failed)})
				r := e.startReplica()
				in := importOf("ada@example.com")
				in.Rows[0].Claims["sub"], in.Rows[0].Claims["given_name"] = sub, venom
				e.importFile(r, in)
				time.Sleep(10 * time.Minute)
				for _, l := range []outbox.Login{testLogin("ada@example.com"), testLogin("bob@example.com")} {
					e.enqueue(r, l)
				}
				time.Sleep(time.Minute)
				if e.contact("ada@example.com")["firstname"] != "Ada" {
					t.Errorf("the login waits for the row of a file: %v", e.fake.Contacts())
				}
			})
		})
	}
}
