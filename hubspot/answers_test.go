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

// Whatever HubSpot answers once, the contact is right in the end, nothing is dead, and the calls are as many as they must be.
func TestOneBadAnswerCostsNothing(t *testing.T) {
	t.Parallel()
	retry := func(after string) map[string]string { return map[string]string{"Retry-After": after} }
	for name, c := range map[string]struct {
		fault    fakehubspot.Fault
		min, max time.Duration // until the contact is right
	}{
		"a window is used up":                   {fakehubspot.Fault{Status: 429, Body: problemJSON("RATE_LIMITS", `,"policyName":"TEN_SECONDLY_ROLLING"`)}, 10 * time.Second, 16 * time.Second},
		"a second is used up":                   {fakehubspot.Fault{Status: 429, Body: problemJSON("RATE_LIMITS", `,"policyName":"SECONDLY"`)}, 2 * time.Second, 8 * time.Second},
		"a day is used up":                      {fakehubspot.Fault{Status: 429, Body: problemJSON("RATE_LIMITS", `,"policyName":"DAILY"`)}, 10 * time.Minute, 11 * time.Minute},
		"a day is used up, in words only":       {fakehubspot.Fault{Status: 429, Body: `{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT"}`}, 10 * time.Minute, 11 * time.Minute},
		"a 429 without a word":                  {fakehubspot.Fault{Status: 429}, 10 * time.Second, 16 * time.Second},
		"a Retry-After":                         {fakehubspot.Fault{Status: 429, Header: retry("20"), Body: "{}"}, 20 * time.Second, 26 * time.Second},
		"a Retry-After in milliseconds":         {fakehubspot.Fault{Status: 429, Header: retry("10000"), Body: "{}"}, 10 * time.Second, 70 * time.Second},
		"a Retry-After of years":                {fakehubspot.Fault{Status: 503, Header: retry("99999999999999999999")}, time.Second, 80 * time.Second},
		"a Retry-After that is none":            {fakehubspot.Fault{Status: 503, Header: retry("soon")}, time.Second, 10 * time.Second},
		"a record is locked":                    {fakehubspot.Fault{Status: 423, Body: problemJSON("LOCKED", "")}, 2 * time.Second, 12 * time.Second},
		"the account moves":                     {fakehubspot.Fault{Status: 477, Header: retry("300"), Body: problemJSON("MIGRATION_IN_PROGRESS", "")}, 5 * time.Minute, 7 * time.Minute},
		"500":                                   {fakehubspot.Fault{Status: 500, Body: problemJSON("INTERNAL_ERROR", "")}, time.Second, 10 * time.Second},
		"502 as a page":                         {fakehubspot.Fault{Status: 502, Body: "<html>bad gateway"}, time.Second, 10 * time.Second},
		"504":                                   {fakehubspot.Fault{Status: 504}, time.Second, 10 * time.Second},
		"524":                                   {fakehubspot.Fault{Status: 524}, time.Second, 10 * time.Second},
		"a redirect":                            {fakehubspot.Fault{Status: 307, Header: map[string]string{"Location": "https://elsewhere.example/"}}, time.Second, 10 * time.Second},
		"401 once":                              {fakehubspot.Fault{Status: 401, Body: problemJSON("INVALID_AUTHENTICATION", "")}, time.Second, 10 * time.Second},
		"403 once":                              {fakehubspot.Fault{Status: 403, Body: problemJSON("MISSING_SCOPES", `,"context":{"requiredGranularScopes":["x"]}`)}, time.Second, 10 * time.Second},
		"404 of the whole call":                 {fakehubspot.Fault{Status: 404, Body: "not found"}, time.Second, 10 * time.Second},
		"garbage":                               {fakehubspot.Fault{Status: 200, Body: "<html>welcome"}, time.Second, 10 * time.Second},
		"half an answer":                        {fakehubspot.Fault{Status: 200, Apply: true, Body: `{"status":"COMPLETE","results":[{"id":"1`}, time.Second, 10 * time.Second},
		"nothing":                               {fakehubspot.Fault{Status: 200}, time.Second, 10 * time.Second},
		"no results":                            {fakehubspot.Fault{Status: 200, Body: `{"status":"COMPLETE","results":[]}`}, time.Second, 10 * time.Second},
		"not done yet":                          {fakehubspot.Fault{Status: 200, Body: `{"status":"PENDING"}`}, time.Second, 10 * time.Second},
		"errors that name nobody":               {fakehubspot.Fault{Status: 207, Body: `{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"status":"error","category":"RATE_LIMITS","message":"x"}]}`}, 10 * time.Second, 20 * time.Second},
		"a scope is missing for one contact":    {fakehubspot.Fault{Status: 207, Body: `{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"status":"error","category":"MISSING_SCOPES","message":"x"}]}`}, time.Second, 10 * time.Second},
		"a contact is not found for a moment":   {fakehubspot.Fault{Status: 200, Body: `{"status":"COMPLETE","results":[],"errors":[{"status":"error","category":"OBJECT_NOT_FOUND","message":"x"}]}`}, time.Second, 10 * time.Second},
		"an answer without end":                 {fakehubspot.Fault{Bomb: true}, time.Second, 10 * time.Second},
		"no answer at all":                      {fakehubspot.Fault{Hang: true}, 30 * time.Second, 40 * time.Second},
		"cut before it was applied":             {fakehubspot.Fault{Cut: true}, time.Second, 10 * time.Second},
		"cut after it was applied":              {fakehubspot.Fault{Apply: true, Cut: true}, time.Second, 10 * time.Second},
		"no answer although it was applied":     {fakehubspot.Fault{Apply: true, Hang: true}, 30 * time.Second, 40 * time.Second},
		"a fault of the server that applied it": {fakehubspot.Fault{Apply: true, Status: 502}, time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				properties := usual()
				properties["lead_source"] = PropertyConfig{Constant: "portal", Write: writeCreateOnly}
				w := newWorld(t, properties)
				c.fault.Path = upsertPath
				w.fake.Next(c.fault)
				r := w.running()
				start := time.Now()
				w.login(r, person1("ada@example.com"))
				w.drained(r)
				if took := time.Since(start); took < c.min || took > c.max {
					t.Errorf("it took %s", took)
				}
				if got := w.contact("ada@example.com"); got["firstname"] != "Ada" || got["portal_logins"] != "1" || got["lead_source"] != "portal" {
					t.Errorf("%v", got)
				}
				s, err := r.Status(t.Context())
				if err != nil || s.Dead != 0 || len(s.RejectedProperties) != 0 || w.fake.Faults() != 0 {
					t.Errorf("%+v %v, %d faults left", s, err, w.fake.Faults())
				}
				if n := w.upserts(); n > 3 { // the bad one, the contact, what it gets at its creation
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}

func TestDefinitionsThatCannotBeReadForAWhileDoNotCostAProperty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usual()
		properties["seen_on"] = PropertyConfig{Value: "login_time"}
		w := newWorld(t, properties)
		w.fake.Define(fakehubspot.Property{Name: "seen_on", Type: "date", FieldType: "date"})
		w.fake.Next(fakehubspot.Fault{Path: "/contacts", Status: 503}, fakehubspot.Fault{Path: "/contacts", Status: 429}, fakehubspot.Fault{Path: "/contacts", Cut: true})
		r := w.running()
		w.login(r, person1("ada@example.com"))
		w.drained(r)
		if got := w.contact("ada@example.com")["seen_on"]; got != "2000-01-01" {
			t.Errorf("%q", got)
		}
		if s, err := r.Status(t.Context()); err != nil || len(s.RejectedProperties) != 0 {
			t.Errorf("%+v %v", s, err)
		}
	})
}

func TestAKeyThatMayNotReadDefinitionsStillKeepsContacts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual(), func(c *fakehubspot.Config) { c.Scopes = []string{"crm.objects.contacts.write"} })
		r := w.running()
		w.login(r, person1("ada@example.com"))
		w.drained(r)
		if got := w.contact("ada@example.com")["firstname"]; got != "Ada" {
			t.Errorf("%q", got)
		}
	})
}

func TestAMissingScopeIsNamedAndNothingIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual(), func(c *fakehubspot.Config) { c.Scopes = []string{"crm.schemas.contacts.read"} })
		r := w.running()
		w.login(r, person1("ada@example.com"))
		time.Sleep(15 * time.Minute)
		ok, detail, _ := r.Health()
		if ok || !strings.Contains(detail, "missing scopes: crm.objects.contacts.write") {
			t.Error(detail)
		}
		page, err := r.Waiting(t.Context(), "", 10)
		if err != nil || len(page.Entries) != 1 || !strings.Contains(page.Entries[0].LastError, "crm.objects.contacts.write") {
			t.Errorf("%+v %v", page, err)
		}
		if n := w.upserts(); n > 40 {
			t.Errorf("%d refused calls in a quarter of an hour", n)
		}
	})
}

func TestAnAddressThatIsAFurtherOneOfAnotherContactWritesThatContact(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]option{
		"found by it": func(*fakehubspot.Config) {},
		"in the way":  func(c *fakehubspot.Config) { c.Conflicts = true },
		"in the way, unread": func(c *fakehubspot.Config) {
			c.Conflicts, c.Scopes = true, []string{"crm.objects.contacts.write", "crm.schemas.contacts.read"}
		},
		"in the way, untraced": func(c *fakehubspot.Config) { c.Conflicts, c.Wrap = true, untraced },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, usual(), option)
				winner := w.fake.Add(map[string]string{"email": "main@example.com"})
				w.fake.Merge(winner, w.fake.Add(map[string]string{"email": "merged@example.com"}))
				r := w.running()
				w.login(r, person1("Merged@example.com"))
				w.login(r, person1("new@example.com"))
				w.drained(r)
				if got := w.contact("main@example.com"); got["firstname"] != "Ada" || len(w.fake.Contacts()) != 2 {
					t.Errorf("%+v", w.fake.Contacts())
				}
				if s, err := r.Status(t.Context()); err != nil || s.Dead != 0 {
					t.Errorf("%+v %v", s, err)
				}
			})
		})
	}
}

// untraced is an API that refuses a batch as a whole for one contact of it.
func untraced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, upsertPath) {
			dropTraces(r)
		}
		next.ServeHTTP(rw, r)
	})
}

func TestALockedContactDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		locked := w.fake.Add(map[string]string{"email": "locked@example.com"})
		w.fake.Lock(locked, true)
		r := w.running()
		w.login(r, person1("locked@example.com"))
		w.login(r, person1("ada@example.com"))
		w.until("the other one is there", func() bool { return w.contact("ada@example.com") != nil })
		w.fake.Lock(locked, false)
		w.drained(r)
		if got := w.contact("locked@example.com"); got["firstname"] != "Ada" {
			t.Errorf("%v", got)
		}
	})
}

func TestAContactThatFailsAloneAgainAndAgainIsDeadAndKeepsItsStory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		w.fake.Lock(w.fake.Add(map[string]string{"email": "locked@example.com"}), true)
		r := w.running()
		w.login(r, person1("locked@example.com"))
		time.Sleep(10 * time.Second)
		page, err := r.Waiting(t.Context(), "", 10)
		if err != nil || len(page.Entries) != 1 {
			t.Fatalf("%+v %v", page, err)
		}
		e := page.Entries[0]
		if e.Email != "locked@example.com" || e.State != "delayed" || e.Attempts == 0 || e.FirstAt == nil || e.NextAt == nil || !e.NextAt.After(*e.FirstAt) || !strings.Contains(e.LastError, "423") {
			t.Errorf("%+v", e)
		}
		for range 30 {
			w.login(r, person1("ada@example.com"))
			time.Sleep(time.Minute)
		}
		w.drained(r)
		dead, err := r.Dead(t.Context(), "", 10)
		if err != nil || len(dead.Dead) != 1 || dead.Dead[0].Attempts < maxFailedAlone || dead.Dead[0].Properties["firstname"] != "Ada" {
			t.Errorf("%+v %v", dead, err)
		}
	})
}
