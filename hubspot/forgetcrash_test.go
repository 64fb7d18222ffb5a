package hubspot

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/outbox"
)

// newTwoPeopleEnv returns an env in which logins of ada and bob wait, whose browsers are to be linked.
func newTwoPeopleEnv(t *testing.T) *env {
	t.Helper()
	e := newEnv(t, usualProperties())
	e.cfg.Visitors = VisitorsConfig{Link: "form", FormID: formID, FormURL: e.api.URL}
	front := e.replica()
	for n := range 2 {
		e.enqueue(front, loginOf("ada", n))
		e.enqueue(front, loginOf("bob", n))
	}
	return e
}

// forgetAda has ada forgotten, as often as it takes.
func (e *env) forgetAda(r *replica) {
	e.t.Helper()
	e.waitFor("nothing is in flight", func() bool {
		f, err := r.Forget(e.t.Context(), "ada@example.com", noSessions)
		if err != nil {
			e.t.Fatal(err)
		}
		return !f.InFlight
	})
}

// The replica that sends is killed at any step, the person is forgotten, and another replica goes on.
func TestForgetAfterReplicaCrashAtEveryStep(t *testing.T) {
	t.Parallel()
	var steps int64
	synctest.Test(t, func(t *testing.T) {
		e := newTwoPeopleEnv(t)
		m := e.crashingReplica(0)
		e.waitDrained(e.replica())
		steps = m.steps.Load()
	})
	for at := int64(1); at <= steps; at += 2 {
		t.Run(fmt.Sprintf("step %d of %d", at, steps), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newTwoPeopleEnv(t)
				m := e.crashingReplica(at)
				e.waitFor("the replica crashed", func() bool { return m.crashed.Load() })
				front := e.replica()
				r := e.startReplica()
				e.forgetAda(front)
				e.waitDrained(r)
				time.Sleep(3 * outbox.LeaseTime) // the lease of the killed one has expired
				r.stop()
				if found := append(e.tracesOf("ada", e.key), e.leftKeys()...); len(found) > 0 {
					t.Errorf("left: %q", found)
				}
				if e.contact("bob@example.com") == nil {
					t.Error("another person was not sent")
				}
			})
		})
	}
}
