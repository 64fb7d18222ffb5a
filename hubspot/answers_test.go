package hubspot

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
)

const upsertPath = "/batch/upsert"

func problemJSON(category, rest string) string {
	return `{"status":"error","message":"no","correlationId":"c","category":"` + category + `"` + rest + `}`
}

// contactErrorJSON returns a batch response with an error that names no contact.
func contactErrorJSON(category string) string {
	return `{"status":"COMPLETE","results":[],"numErrors":1,"errors":[
		{"status":"error","category":"` + category + `","message":"x"}]}`
}

func TestSchemaReadFailureKeepsProperties(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usualProperties()
		properties["seen_on"] = mapping.Property{Value: "login_time"}
		e := newEnv(t, properties)
		e.fake.Define(fakehubspot.Property{Name: "seen_on", Type: "date", FieldType: "date"})
		e.fake.Next(fakehubspot.Fault{Path: "/contacts", Status: 503},
			fakehubspot.Fault{Path: "/contacts", Status: 429}, fakehubspot.Fault{Path: "/contacts", Cut: true})
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		if got := e.contact("ada@example.com")["seen_on"]; got != "2000-01-01" {
			t.Errorf("%q", got)
		}
		if s, err := r.Status(t.Context()); err != nil || len(s.RejectedProperties) != 0 {
			t.Errorf("%+v %v", s, err)
		}
	})
}

func TestSyncWithoutSchemaScope(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties(),
			func(c *fakehubspot.Config) { c.Scopes = []string{"crm.objects.contacts.write"} })
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		if got := e.contact("ada@example.com")["firstname"]; got != "Ada" {
			t.Errorf("%q", got)
		}
	})
}

func TestMissingScopeIsReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties(),
			func(c *fakehubspot.Config) { c.Scopes = []string{"crm.schemas.contacts.read"} })
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		time.Sleep(15 * time.Minute)
		ok, detail, _ := r.Health()
		if ok || !strings.Contains(detail, "missing scopes: crm.objects.contacts.write") {
			t.Error(detail)
		}
		page, err := r.Waiting(t.Context(), "", 10)
		if err != nil || len(page.Entries) != 1 ||
			!strings.Contains(page.Entries[0].LastError, "crm.objects.contacts.write") {
			t.Errorf("%+v %v", page, err)
		}
		if n := e.upserts(); n > 40 {
			t.Errorf("%d rejected calls in 15 minutes", n)
		}
	})
}

func TestSecondaryEmailUpdatesItsContact(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]option{
		"found by it": func(*fakehubspot.Config) {},
		"conflict":    func(c *fakehubspot.Config) { c.Conflicts = true },
		"conflict, without read scope": func(c *fakehubspot.Config) {
			c.Conflicts, c.Scopes = true, []string{"crm.objects.contacts.write", "crm.schemas.contacts.read"}
		},
		"conflict, without trace ids": func(c *fakehubspot.Config) { c.Conflicts, c.Wrap = true, untraced },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties(), option)
				winner := e.fake.Add(map[string]string{"email": "main@example.com"})
				e.fake.Merge(winner, e.fake.Add(map[string]string{"email": "merged@example.com"}))
				r := e.startReplica()
				e.enqueue(r, testLogin("Merged@example.com"))
				e.enqueue(r, testLogin("new@example.com"))
				e.waitDrained(r)
				if got := e.contact("main@example.com"); got["firstname"] != "Ada" || len(e.fake.Contacts()) != 2 {
					t.Errorf("%+v", e.fake.Contacts())
				}
				if s, err := r.Status(t.Context()); err != nil || s.Dead != 0 {
					t.Errorf("%+v %v", s, err)
				}
			})
		})
	}
}

// untraced removes the trace ids, so that HubSpot rejects a whole batch for one contact.
func untraced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, upsertPath) {
			dropTraces(r)
		}
		next.ServeHTTP(rw, r)
	})
}

func TestLockedContactDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		locked := e.fake.Add(map[string]string{"email": "locked@example.com"})
		e.fake.Lock(locked, true)
		r := e.startReplica()
		e.enqueue(r, testLogin("locked@example.com"))
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitFor("the other contact is written", func() bool { return e.contact("ada@example.com") != nil })
		e.fake.Lock(locked, false)
		e.waitDrained(r)
		if got := e.contact("locked@example.com"); got["firstname"] != "Ada" {
			t.Errorf("%v", got)
		}
	})
}

func TestRepeatedFailureBecomesDeadLetter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.fake.Lock(e.fake.Add(map[string]string{"email": "locked@example.com"}), true)
		r := e.startReplica()
		e.enqueue(r, testLogin("locked@example.com"))
		time.Sleep(10 * time.Second)
		page, err := r.Waiting(t.Context(), "", 10)
		if err != nil || len(page.Entries) != 1 {
			t.Fatalf("%+v %v", page, err)
		}
		entry := page.Entries[0]
		if entry.Email != "locked@example.com" || entry.State != "delayed" || entry.Attempts == 0 ||
			entry.FirstAt == nil || entry.NextAt == nil || !entry.NextAt.After(*entry.FirstAt) ||
			!strings.Contains(entry.LastError, "423") {
			t.Errorf("%+v", entry)
		}
		for range 30 {
			e.enqueue(r, testLogin("ada@example.com"))
			time.Sleep(time.Minute)
		}
		e.waitDrained(r)
		dead, err := r.Dead(t.Context(), "", 10)
		if err != nil || len(dead.Dead) != 1 || dead.Dead[0].Attempts < maxFailedAlone ||
			dead.Dead[0].Properties["firstname"] != "Ada" {
			t.Errorf("%+v %v", dead, err)
		}
	})
}
