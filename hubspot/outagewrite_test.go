package hubspot

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// failWrites makes every write of contacts fail from the outside for a while, although HubSpot answers hubgate's own
// empty call.
func failWrites(until time.Time, status int) option {
	return func(c *fakehubspot.Config) {
		c.Wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if body := bodyOf(r); time.Now().Before(until) && len(body) > len(`{"inputs":[]}`)+1 {
					rw.WriteHeader(status)
					return
				}
				next.ServeHTTP(rw, r)
			})
		}
	}
}

// TestOutageOfWritesKeepsAllContacts checks that no contact is blamed while HubSpot accepts none, although it answers.
func TestOutageOfWritesKeepsAllContacts(t *testing.T) {
	t.Parallel()
	const outage = 100 * time.Minute // longer than the longest wait for a retry
	for _, status := range []int{403, 404, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties(), failWrites(time.Now().Add(outage), status))
				r := e.startReplica()
				for i := range 30 {
					e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", i)))
				}
				time.Sleep(outage - time.Minute)
				if dead, err := r.Dead(t.Context(), "", 100); err != nil || len(dead.Dead) > 0 {
					t.Fatalf("%+v %v", dead, err)
				}
				if n := len(e.fake.Calls()); n > 1200 { // about 15 attempts and probes of each contact
					t.Errorf("%d calls in vain", n)
				}
				time.Sleep(80 * time.Minute) // a retry waits for an hour and a quarter at most
				if n := len(e.fake.Contacts()); n != 30 {
					t.Errorf("%d contacts", n)
				}
			})
		})
	}
}
