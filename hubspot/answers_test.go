package hubspot

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

const upsertPath = "/batch/upsert"

func problemJSON(category, rest string) string {
	return `{"status":"error","message":"no","correlationId":"c","category":"` + category + `"` + rest + `}`
}

// badResponse is a fault, and the time until the contact is written in spite of it.
type badResponse struct {
	fault    fakehubspot.Fault
	min, max time.Duration
}

func badResponses() map[string]badResponse {
	retry := func(after string) map[string]string { return map[string]string{"Retry-After": after} }
	return map[string]badResponse{
		"rate limit of ten seconds":        {fakehubspot.Fault{Status: 429, Body: problemJSON("RATE_LIMITS", `,"policyName":"TEN_SECONDLY_ROLLING"`)}, 10 * time.Second, 16 * time.Second},
		"rate limit of one second":         {fakehubspot.Fault{Status: 429, Body: problemJSON("RATE_LIMITS", `,"policyName":"SECONDLY"`)}, 2 * time.Second, 8 * time.Second},
		"daily limit":                      {fakehubspot.Fault{Status: 429, Body: problemJSON("RATE_LIMITS", `,"policyName":"DAILY"`)}, 10 * time.Minute, 11 * time.Minute},
		"daily limit, in the message only": {fakehubspot.Fault{Status: 429, Body: `{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT"}`}, 10 * time.Minute, 11 * time.Minute},
		"429 without a body":               {fakehubspot.Fault{Status: 429}, 10 * time.Second, 16 * time.Second},
		"Retry-After":                      {fakehubspot.Fault{Status: 429, Header: retry("20"), Body: "{}"}, 20 * time.Second, 26 * time.Second},
		"Retry-After in milliseconds":      {fakehubspot.Fault{Status: 429, Header: retry("10000"), Body: "{}"}, 10 * time.Second, 70 * time.Second},
		"Retry-After of years":             {fakehubspot.Fault{Status: 503, Header: retry("99999999999999999999")}, time.Second, 80 * time.Second},
		"invalid Retry-After":              {fakehubspot.Fault{Status: 503, Header: retry("soon")}, time.Second, 10 * time.Second},
		"locked record":                    {fakehubspot.Fault{Status: 423, Body: problemJSON("LOCKED", "")}, 2 * time.Second, 12 * time.Second},
		"account migration":                {fakehubspot.Fault{Status: 477, Header: retry("300"), Body: problemJSON("MIGRATION_IN_PROGRESS", "")}, 5 * time.Minute, 7 * time.Minute},
		"500":                              {fakehubspot.Fault{Status: 500, Body: problemJSON("INTERNAL_ERROR", "")}, time.Second, 10 * time.Second},
		"502 with an HTML page":            {fakehubspot.Fault{Status: 502, Body: "<html>bad gateway"}, time.Second, 10 * time.Second},
		"504":                              {fakehubspot.Fault{Status: 504}, time.Second, 10 * time.Second},
		"524":                              {fakehubspot.Fault{Status: 524}, time.Second, 10 * time.Second},
		"redirect":                         {fakehubspot.Fault{Status: 307, Header: map[string]string{"Location": "https://elsewhere.example/"}}, time.Second, 10 * time.Second},
		"401 once":                         {fakehubspot.Fault{Status: 401, Body: problemJSON("INVALID_AUTHENTICATION", "")}, time.Second, 10 * time.Second},
		"403 once":                         {fakehubspot.Fault{Status: 403, Body: problemJSON("MISSING_SCOPES", `,"context":{"requiredGranularScopes":["x"]}`)}, time.Second, 10 * time.Second},
		"404 of the whole call":            {fakehubspot.Fault{Status: 404, Body: "not found"}, time.Second, 10 * time.Second},
		"not JSON":                         {fakehubspot.Fault{Status: 200, Body: "<html>welcome"}, time.Second, 10 * time.Second},
		"truncated response":               {fakehubspot.Fault{Status: 200, Apply: true, Body: `{"status":"COMPLETE","results":[{"id":"1`}, time.Second, 10 * time.Second},
		"empty response":                   {fakehubspot.Fault{Status: 200}, time.Second, 10 * time.Second},
		"no results":                       {fakehubspot.Fault{Status: 200, Body: `{"status":"COMPLETE","results":[]}`}, time.Second, 10 * time.Second},
		"pending":                          {fakehubspot.Fault{Status: 200, Body: `{"status":"PENDING"}`}, time.Second, 10 * time.Second},
		"errors that name no contact":      {fakehubspot.Fault{Status: 207, Body: `{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"status":"error","category":"RATE_LIMITS","message":"x"}]}`}, 10 * time.Second, 20 * time.Second},
		"missing scope for one contact":    {fakehubspot.Fault{Status: 207, Body: `{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"status":"error","category":"MISSING_SCOPES","message":"x"}]}`}, time.Second, 10 * time.Second},
		"contact not found for a moment":   {fakehubspot.Fault{Status: 200, Body: `{"status":"COMPLETE","results":[],"errors":[{"status":"error","category":"OBJECT_NOT_FOUND","message":"x"}]}`}, time.Second, 10 * time.Second},
		"endless response":                 {fakehubspot.Fault{Bomb: true}, time.Second, 10 * time.Second},
		"no response":                      {fakehubspot.Fault{Hang: true}, 30 * time.Second, 40 * time.Second},
		"connection lost before the write": {fakehubspot.Fault{Cut: true}, time.Second, 10 * time.Second},
		"connection lost after the write":  {fakehubspot.Fault{Apply: true, Cut: true}, time.Second, 10 * time.Second},
		"no response after the write":      {fakehubspot.Fault{Apply: true, Hang: true}, 30 * time.Second, 40 * time.Second},
		"502 after the write":              {fakehubspot.Fault{Apply: true, Status: 502}, time.Second, 10 * time.Second},
	}
}

// TestContactSurvivesBadResponse checks that one bad response delays a contact but does not lose it: nothing becomes a
// dead letter, and no unnecessary calls are made.
func TestContactSurvivesBadResponse(t *testing.T) {
	t.Parallel()
	for name, c := range badResponses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				properties := usualProperties()
				properties["lead_source"] = PropertyConfig{Constant: "portal", Write: writeCreateOnly}
				e := newEnv(t, properties)
				c.fault.Path = upsertPath
				e.fake.Next(c.fault)
				r := e.startReplica()
				start := time.Now()
				e.enqueue(r, testLogin("ada@example.com"))
				e.waitDrained(r)
				if took := time.Since(start); took < c.min || took > c.max {
					t.Errorf("it took %s", took)
				}
				if got := e.contact("ada@example.com"); got["firstname"] != "Ada" || got["portal_logins"] != "1" ||
					got["lead_source"] != "portal" {
					t.Errorf("%v", got)
				}
				s, err := r.Status(t.Context())
				if err != nil || s.Dead != 0 || len(s.RejectedProperties) != 0 || e.fake.Faults() != 0 {
					t.Errorf("%+v %v, %d faults left", s, err, e.fake.Faults())
				}
				if n := e.upserts(); n > 3 { // the bad one, the contact, its create-only properties
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}

func TestSchemaReadFailureKeepsProperties(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usualProperties()
		properties["seen_on"] = PropertyConfig{Value: "login_time"}
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
