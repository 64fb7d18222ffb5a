package hubspot

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/setting"
)

// moveTo makes another HubSpot account answer, with another token.
func (e *env) moveTo(hubID int64) {
	e.fake = fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults, HubID: hubID})
	e.http = memoryTransport{e.fake}
	e.setToken("pat-na1-another")
}

// TestContactIDsEndWithTheAccount checks that after a change of the account nobody's contact is overwritten because it
// has the ID that a person's contact had in the account before.
func TestContactIDsEndWithTheAccount(t *testing.T) {
	t.Parallel()
	for name, hubID := range map[string]int64{"hub_id is changed": 4712, "hub_id is left as it is": 4711, "no hub_id": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties())
				e.cfg.Contacts.Properties["cognito_sub"] = mapping.Property{Claim: "sub"}
				if hubID == 0 {
					e.cfg.HubID = 0
				}
				r := e.startReplica()
				e.enqueue(r, loginOf("ada", 1))
				e.waitDrained(r)
				r.stop()
				e.moveTo(4712)
				e.cfg.HubID = hubID
				e.fake.Add(map[string]string{"email": "stranger@example.com", "firstname": "Stranger"})
				r = e.startReplica()
				l := loginOf("ada", 1)
				l.Email = "ada@new.example.com"
				e.enqueue(r, l)
				e.waitDrained(r)
				if c := e.contact("stranger@example.com"); c["firstname"] != "Stranger" || e.contact(l.Email) == nil {
					t.Errorf("a stranger's contact was overwritten: %v", e.fake.Contacts())
				}
			})
		})
	}
}

// TestAnotherAccountGetsUnchangedPeople checks that what was sent to the account before counts as not sent: a login
// that changes nothing, and a person of a file.
func TestAnotherAccountGetsUnchangedPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
		r := e.startReplica()
		for _, name := range []string{"ada", "bob"} {
			e.enqueue(r, loginOf(name, 1))
		}
		e.waitDrained(r)
		e.moveTo(4712)
		r.stop()
		r = e.startReplica()
		e.enqueue(r, loginOf("ada", 1))
		e.waitDrained(r)
		if done := e.importFile(r, importOf("bob@example.com")); done.Queued != 1 {
			t.Errorf("%+v", done)
		}
		e.waitDrained(r)
		if e.contact("ada@example.com") == nil || e.contact("bob@example.com") == nil {
			t.Errorf("contacts %v", e.fake.Contacts())
		}
	})
}

// TestNewTokenOfTheAccountChangesNothing checks that a rotated token costs one call, also if HubSpot does not tell
// whose it is, and that an outage of that call loses nothing.
func TestNewTokenOfTheAccountChangesNothing(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"as usual": nil, "no scope": respond(403, `{"status":"error","category":"MISSING_SCOPES","message":"no"}`),
		"not found": respond(404, ""), "out of order": respond(500, ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties(), func(c *fakehubspot.Config) {
					c.Wrap = func(next http.Handler) http.Handler {
						return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
							if answer != nil && strings.HasPrefix(r.URL.Path, "/account-info/") {
								answer(rw, r)
								return
							}
							next.ServeHTTP(rw, r)
						})
					}
				})
				e.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
				r := e.startReplica()
				e.enqueue(r, testLogin("ada@example.com"))
				e.waitDrained(r)
				e.setToken("pat-na1-newer")
				e.enqueue(r, testLogin("bob@example.com"))
				e.enqueue(r, testLogin("ada@example.com"))
				e.waitFor("bob's contact", func() bool { return e.contact("bob@example.com") != nil })
				s, err := r.Status(t.Context())
				if err != nil || s.Held != 1 {
					t.Errorf("ada is not held: %+v, %v", s, err)
				}
			})
		})
	}
}
