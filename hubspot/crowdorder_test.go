package hubspot

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// enqueuePoisoned queues the login of one of many accounts whose contacts HubSpot refuses.
func (e *env) enqueuePoisoned(r *replica, i int) {
	e.t.Helper()
	l := testLogin(fmt.Sprintf("evil%d@example.com", i))
	l.Claims["given_name"] = venom
	e.enqueue(r, l)
}

// waitContact waits for a contact and returns how long that took.
func (e *env) waitContact(email string) time.Duration {
	e.t.Helper()
	began := time.Now()
	e.waitFor(email+" is written", func() bool { return e.contact(email) != nil })
	return time.Since(began)
}

// TestAdjacentPoisonedContactsDoNotPauseCalls checks that visitors with many accounts change neither the pause nor the
// health, and delay others for minutes at most.
func TestAdjacentPoisonedContactsDoNotPauseCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		as fakehubspot.Reaction
		n  int
	}{
		"three blocked": {fakehubspot.Blocked, 3}, "three failed": {fakehubspot.Failed, 3},
		"forty rejected": {fakehubspot.Rejected, 40}, "150 blocked": {fakehubspot.Blocked, 150},
		"150 failed": {fakehubspot.Failed, 150},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newPoisonedEnv(t, badContact{arrange: dislike(c.as)})
				r := e.startReplica()
				healthy := e.watchHealth(r)
				for i := range c.n {
					e.enqueuePoisoned(r, i)
				}
				for i := range 20 {
					e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", i)))
				}
				time.Sleep(10 * time.Second)
				e.enqueue(r, testLogin("later@example.com"))
				if took := e.waitContact("later@example.com"); took > 30*time.Second {
					t.Errorf("a later login waited for %v", took)
				}
				if took := e.waitContact("p19@example.com"); took > 5*time.Minute {
					t.Errorf("the others waited for %v", took)
				}
				if s, err := r.Status(t.Context()); err != nil || s.PausedUntil != nil {
					t.Errorf("%+v %v", s, err)
				}
				e.waitDrained(r)
				healthy()
				if n := len(e.fake.Calls()); n > 20*c.n+20 {
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}

// TestLaterLoginsDoNotWaitForStuckCalls checks that contacts whose calls get no response delay others for a minute at
// most.
func TestLaterLoginsDoNotWaitForStuckCalls(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 5, 20} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newPoisonedEnv(t, badContact{arrange: dislike(fakehubspot.Stuck)})
				r := e.startReplica()
				for i := range 100 {
					if i%(100/n) == 3 {
						e.enqueuePoisoned(r, i)
					} else {
						e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", i)))
					}
				}
				time.Sleep(10 * time.Second)
				e.enqueue(r, testLogin("later@example.com"))
				if took := e.waitContact("later@example.com"); took > time.Minute {
					t.Errorf("a later login waited for %v", took)
				}
				if took := e.waitContact("p99@example.com"); took > time.Duration(n+2)*time.Minute {
					t.Errorf("the others waited for %v", took)
				}
				e.waitDrained(r)
				if dead := e.deadEmails(r); len(dead) != n {
					t.Errorf("dead letters: %q", dead)
				}
			})
		})
	}
}

// TestSuspectsGiveWayToLogins checks that contacts that failed alone, and are due again, are sent after logins that
// have not failed.
func TestSuspectsGiveWayToLogins(t *testing.T) {
	t.Parallel()
	for _, n := range []int{8, 15, 30} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newPoisonedEnv(t, badContact{arrange: dislike(fakehubspot.Stuck)})
				r := e.startReplica()
				for i := range n {
					e.enqueuePoisoned(r, i)
				}
				time.Sleep(5 * time.Minute)
				for i := range 20 {
					email := fmt.Sprintf("p%d@example.com", i)
					e.enqueue(r, testLogin(email))
					if took := e.waitContact(email); took > 35*time.Second {
						t.Errorf("a login waited for %v", took)
					}
				}
				e.waitDrained(r)
			})
		})
	}
}
