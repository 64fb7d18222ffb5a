package hubspot

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/hubgate/hubgate/internal/seal"
)

func TestKeyRotationKeepsRecordsOfQueuedPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		before := e.startReplica()
		for i := range 3 {
			e.enqueue(before, testLogin(fmt.Sprintf("p%d@example.com", i)))
		}
		e.waitDrained(before)
		before.stop()
		for i := range 3 {
			e.enqueue(before, testLogin(fmt.Sprintf("p%d@example.com", i)))
		}
		r := e.replica()
		if err := r.deps.Ring.Set(seal.NewKey(), e.key); err != nil {
			t.Fatal(err)
		}
		for i := range 3 { // shown also before the worker has seen them
			l := testLogin(fmt.Sprintf("p%d@example.com", i))
			if s, err := r.LastSync(t.Context(), l.Issuer, l.Subject); err != nil || s.ContactID == "" {
				t.Errorf("%+v %v", s, err)
			}
		}
		e.start(r)
		e.waitDrained(r)
		e.enqueue(r, testLogin("p0@example.com"))
		e.waitDrained(r)
		for i, want := range []string{"3", "2", "2"} {
			if c := e.contact(fmt.Sprintf("p%d@example.com", i)); c["portal_logins"] != want {
				t.Errorf("%v, want %s logins", c, want)
			}
		}
	})
}
