package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// badContact is one contact of a hundred that makes HubSpot, or what is before it, refuse calls.
type badContact struct {
	account func(c *fakehubspot.Config)
	arrange func(e *env) // what HubSpot refuses
	login   func(l *outbox.Login)
	dead    string // part of the reason of the dead letter; "" = the contact arrives
	without string // the property that is left out of the contact, and counted
}

// venom is a claim's value that a poisoned contact has and no other one.
const venom = "select-star-from-users"

// poisonedName puts the venom into the first name.
func poisonedName(l *outbox.Login) { l.Claims["given_name"] = "Zoe " + venom }

// dislike makes calls with the venom fail.
func dislike(as fakehubspot.Reaction) func(e *env) {
	return func(e *env) { e.fake.Dislike(fakehubspot.Dislike{Text: venom, As: as}) }
}

// badContacts are contacts that HubSpot itself refuses, each in another way; the faults of what is before it are in
// poisons.
func badContacts() map[string]badContact {
	refusingFirstName := func(e *env) {
		e.fake.Define(fakehubspot.Property{Name: "firstname", Type: "string", FieldType: "text", Refuses: venom})
	}
	return map[string]badContact{
		"a firewall blocks the call": {arrange: dislike(fakehubspot.Blocked), login: poisonedName, dead: "403"},
		"HubSpot names the property": {
			arrange: dislike(fakehubspot.RejectedByName), login: poisonedName, without: "firstname",
		},
		"a rule of the account names the contact": {arrange: refusingFirstName, login: poisonedName, without: "firstname"},
		"a rule of the account rejects the batch": {
			account: withoutTraces, arrange: refusingFirstName, login: poisonedName, without: "firstname",
		},
		"a required property is missing": {
			arrange: func(e *env) {
				e.fake.Define(fakehubspot.Property{Name: "company", Type: "string", FieldType: "text", Required: true})
			},
			login: func(l *outbox.Login) { delete(l.Claims, "company") }, dead: "company",
		},
		"the contact is locked": {
			arrange: func(e *env) {
				e.fake.Lock(e.fake.Add(map[string]string{"email": poisonedEmail}), true)
			},
			dead: "423",
		},
	}
}

// withoutTraces makes HubSpot reject whole batches, as it does without trace ids.
func withoutTraces(c *fakehubspot.Config) {
	c.Wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, upsertPath) {
				dropTraces(r)
			}
			next.ServeHTTP(w, r)
		})
	}
}

const (
	crowd         = 100
	poisonedEmail = "p42@example.com"
)

// enqueueCrowd queues a hundred people, of whom one is poisoned.
func (e *env) enqueueCrowd(r *replica, spoil func(l *outbox.Login)) {
	for i := range crowd {
		l := testLogin(fmt.Sprintf("p%d@example.com", i))
		l.Claims["company"] = "Acme"
		if l.Email == poisonedEmail && spoil != nil {
			spoil(&l)
		}
		e.enqueue(r, l)
	}
}

// checkCrowd reports everybody but the poisoned person whose contact does not have the values of the login.
func (e *env) checkCrowd() {
	e.t.Helper()
	for i := range crowd {
		email := fmt.Sprintf("p%d@example.com", i)
		c := e.contact(email)
		if email != poisonedEmail && (c["firstname"] != "Ada" || c["company"] != "Acme" || c["portal_logins"] != "1") {
			e.t.Errorf("%s: %v", email, c)
		}
	}
}

// watchHealth fails the test if contact sync is unhealthy at any time until the function that it returns is called.
func (e *env) watchHealth(r *replica) (stop func()) {
	ctx, cancel := context.WithCancel(e.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if ok, detail, _ := r.Health(); !ok {
				e.t.Errorf("unhealthy after a call that one contact spoiled: %s", detail)
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(500 * time.Millisecond):
			}
		}
	}()
	return func() { cancel(); <-done }
}

// newPoisonedEnv returns an env whose HubSpot refuses a bad contact.
func newPoisonedEnv(t *testing.T, p badContact) *env {
	properties := usualProperties()
	properties["company"] = mapping.Property{Claim: "company"}
	var options []option
	if p.account != nil {
		options = append(options, p.account)
	}
	e := newEnv(t, properties, options...)
	if p.arrange != nil {
		p.arrange(e)
	}
	return e
}

func TestBadContactDoesNotHarmOthers(t *testing.T) {
	t.Parallel()
	for name, p := range badContacts() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newPoisonedEnv(t, p)
				r, began := e.startReplica(), time.Now()
				healthy := e.watchHealth(r)
				e.enqueueCrowd(r, p.login)
				e.waitFor("everybody else is sent", func() bool { return len(e.written()) >= crowd-1 })
				if waited := time.Since(began); waited > 20*time.Minute {
					t.Errorf("the others waited for %s", waited)
				}
				e.waitDrained(r)
				healthy()
				e.checkCrowd()
				e.checkPoisoned(r, p)
				if n := len(e.fake.Calls()); n > 60 {
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}

// written returns the contacts that hubgate wrote.
func (e *env) written() []fakehubspot.Contact {
	return slices.DeleteFunc(e.fake.Contacts(), func(c fakehubspot.Contact) bool {
		return c.Properties["portal_logins"] == ""
	})
}

// checkPoisoned checks that a poisoned contact is a dead letter with its reason, or has everything but one property,
// and that this is counted.
func (e *env) checkPoisoned(r *replica, p badContact) {
	e.t.Helper()
	page, err := r.Dead(e.t.Context(), "", 10)
	if err != nil {
		e.t.Fatal(err)
	}
	switch {
	case p.dead == "" && len(page.Dead) > 0, p.dead != "" && len(page.Dead) != 1:
		e.t.Errorf("dead letters: %+v", page.Dead)
	case p.dead != "":
		if d := page.Dead[0]; d.Email != poisonedEmail || !strings.Contains(d.Reason, p.dead) ||
			strings.Contains(d.Reason, venom) {
			e.t.Errorf("%+v", d)
		}
	default:
		c := e.contact(poisonedEmail)
		if c["company"] != "Acme" || c["portal_logins"] != "1" || c[p.without] != "" {
			e.t.Errorf("the poisoned contact is %v", c)
		}
	}
	s, err := r.Status(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	want := 0
	if p.without != "" {
		want = 1
	}
	if len(s.RejectedProperties) != want {
		e.t.Errorf("rejected properties: %+v", s.RejectedProperties)
	}
	for _, rejected := range s.RejectedProperties {
		if rejected.Property != p.without || rejected.Count != 1 || strings.Contains(rejected.Reason, venom) {
			e.t.Errorf("%+v", rejected)
		}
	}
}
