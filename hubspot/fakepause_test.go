package hubspot

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// pauseLikeAnswers are responses to what one contact contains that look like those that pause all calls.
func pauseLikeAnswers() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"429 of a firewall": respond(429, "<html>too many requests"), "401 of a proxy": respond(401, "<html>sign in"),
		"477 of a proxy": respond(477, ""), "403 without the scopes": respond(403, problemJSON("MISSING_SCOPES", "")),
	}
}

// convincingAnswers look like HubSpot's own.
func convincingAnswers() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"429": respond(429, problemJSON("RATE_LIMITS", `,"policyName":"TEN_SECONDLY_ROLLING"`)),
		"401": respond(401, problemJSON("INVALID_AUTHENTICATION", "")),
		"477": respond(477, problemJSON("MIGRATION_IN_PROGRESS", "")),
		"403": respond(403, problemJSON("MISSING_SCOPES", `,"context":{"requiredGranularScopes":["a.sensitive.write"]}`)),
	}
}

// enqueueTen queues ten people of whom one is poisoned.
func (e *env) enqueueTen(r *replica) {
	e.t.Helper()
	for i := range 10 {
		l := testLogin(fmt.Sprintf("p%d@example.com", i))
		if i == 4 {
			l.Claims["given_name"] = venom
		}
		e.enqueue(r, l)
	}
}

// TestContentThatLooksLikePauseDoesNotDelayOthers checks that calls do not pause for a response that is not HubSpot's.
func TestContentThatLooksLikePauseDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	for name, answer := range pauseLikeAnswers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties(), poison(venom, answer))
				r := e.startReplica()
				healthy := e.watchHealth(r)
				e.enqueueTen(r)
				time.Sleep(30 * time.Second)
				if n := len(e.fake.Contacts()); n != 9 {
					t.Errorf("%d of 9 others are written", n)
				}
				if s, err := r.Status(t.Context()); err != nil || s.PausedUntil != nil {
					t.Errorf("%+v %v", s, err)
				}
				healthy()
			})
		})
	}
}

// TestSecondPauseForTheSameContactsIsProbed checks that content to which even HubSpot responds as if it rejected all
// calls pauses them once, and no more.
func TestSecondPauseForTheSameContactsIsProbed(t *testing.T) {
	t.Parallel()
	for name, answer := range convincingAnswers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties(), poison(venom, answer))
				r := e.startReplica()
				e.enqueueTen(r)
				time.Sleep(30 * time.Second)
				if n := len(e.fake.Contacts()); n != 9 {
					t.Errorf("%d of 9 others are written", n)
				}
				healthy := e.watchHealth(r)
				e.enqueue(r, testLogin("later@example.com"))
				time.Sleep(time.Hour)
				if e.contact("later@example.com") == nil {
					t.Error("a later login is not written")
				}
				healthy()
			})
		})
	}
}
