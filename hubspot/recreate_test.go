package hubspot

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// TestCrashWhileCreatingAgainKeepsCreateOnly checks that a contact that was deleted in HubSpot gets its values for new
// contacts, at whichever step the replica that creates it again crashes.
func TestCrashWhileCreatingAgainKeepsCreateOnly(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) *env {
		e := newEnv(t, createOnlyProperties())
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		r.stop()
		other := fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults})
		other.Add(map[string]string{"email": "other@example.com"}) // so that ids differ
		e.fake, e.http = other, memoryTransport{other}
		e.enqueue(e.replica(), testLogin("ada@example.com"))
		return e
	}
	var steps int64
	synctest.Test(t, func(t *testing.T) {
		e := begin(t)
		m := e.crashingReplica(0)
		e.waitDrained(e.replica())
		steps = m.steps.Load()
	})
	for at := int64(1); at <= steps; at++ {
		t.Run(fmt.Sprintf("step %d of %d", at, steps), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := begin(t)
				m := e.crashingReplica(at)
				e.waitFor("the replica crashed", func() bool { return m.crashed.Load() })
				r := e.startReplica()
				e.waitDrained(r)
				if c := e.contact("ada@example.com"); c["lead_source"] != "portal" || c["firstname"] != "Ada" {
					t.Errorf("%v", c)
				}
			})
		})
	}
}

// TestMergedContactIsNotNew checks that the contact that a known one was merged into gets no values for new contacts.
func TestMergedContactIsNotNew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, createOnlyProperties())
		winner := e.fake.Add(map[string]string{"email": "main@example.com"})
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		for _, c := range e.fake.Contacts() {
			if c.Properties["email"] == "ada@example.com" {
				e.fake.Merge(winner, c.ID)
			}
		}
		time.Sleep(time.Hour)
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		if c := e.contact("main@example.com"); c["firstname"] != "Ada" || c["lead_source"] != "" {
			t.Errorf("%v", c)
		}
	})
}
