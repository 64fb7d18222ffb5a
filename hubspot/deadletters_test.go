package hubspot

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// newRejectingEnv returns an env whose HubSpot rejects contacts while reject is true, which it is at first.
func newRejectingEnv(t *testing.T) (e *env, reject *atomic.Bool) {
	t.Helper()
	reject = &atomic.Bool{}
	reject.Store(true)
	return newEnv(t, usualProperties(), rejectWhile(reject)), reject
}

// deadEmails returns the addresses of the dead letters.
func (e *env) deadEmails(r *replica) (emails []string) {
	e.t.Helper()
	page, err := r.Dead(e.t.Context(), "", 1000)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, d := range page.Dead {
		emails = append(emails, d.Email)
	}
	return emails
}

func TestDeadLettersAreOnePerPerson(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, reject := newRejectingEnv(t)
		r := e.startReplica()
		for _, name := range []string{"First", "Second", "Third"} {
			e.enqueue(r, loginNamed("ada@example.com", name))
			e.enqueue(r, loginNamed("bob@example.com", name))
			e.waitDrained(r)
			if emails := e.deadEmails(r); len(emails) != 2 || emails[0] == emails[1] {
				t.Fatalf("after login %s: %q", name, emails)
			}
		}
		page, err := r.Dead(t.Context(), "", 1000)
		if err != nil || page.Dead[0].Properties["firstname"] != "Third" {
			t.Errorf("%+v %v", page, err)
		}
		reject.Store(false)
		e.enqueue(r, loginNamed("ada@example.com", "Fourth"))
		e.waitDrained(r)
		if emails := e.deadEmails(r); len(emails) != 1 || emails[0] != "bob@example.com" {
			t.Errorf("after HubSpot accepted a later login: %q", emails)
		}
	})
}
