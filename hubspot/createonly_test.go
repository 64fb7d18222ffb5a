package hubspot

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
)

// requiredAtCreation makes HubSpot reject a new contact without lead_source.
func requiredAtCreation(c *fakehubspot.Config) {
	c.Wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if body := bodyOf(r); strings.HasSuffix(r.URL.Path, upsertPath) && strings.Contains(body, "new@example.com") &&
				!strings.Contains(body, "lead_source") {
				respond(400, problemJSON("VALIDATION_ERROR", `,"context":{"properties":["lead_source"]}`))(rw, r)
				return
			}
			next.ServeHTTP(rw, r)
		})
	}
}

func createOnlyProperties() map[string]mapping.Property {
	return map[string]mapping.Property{
		"firstname": {Claim: "given_name"}, "lead_source": {Constant: "portal", Write: mapping.WriteCreateOnly},
	}
}

func TestCreateOnlyIsSentAtCreation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, createOnlyProperties(), requiredAtCreation)
		e.fake.Add(map[string]string{"email": "there@example.com"})
		r := e.startReplica()
		for range 2 {
			e.enqueue(r, testLogin("new@example.com"))
			e.enqueue(r, testLogin("there@example.com"))
			e.waitDrained(r)
		}
		if e.contact("new@example.com")["lead_source"] != "portal" ||
			e.contact("there@example.com")["lead_source"] != "" {
			t.Errorf("%v", e.fake.Contacts())
		}
	})
}

func TestCreateOnlyNeedsNoReadOfKnownContacts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sent recorder
		e := newEnv(t, createOnlyProperties(), sent.tap)
		r := e.startReplica()
		for i := range 3 {
			e.enqueue(r, testLogin("ada@example.com"))
			e.waitDrained(r)
			if n := len(sent.calls("/batch/read")); n != 1 {
				t.Errorf("%d reads after %d logins", n, i+1)
			}
		}
		if n := e.upserts(); n != 3 {
			t.Errorf("%d upserts", n)
		}
	})
}

// TestCreateOnlyOfDeletedContact checks that a contact that was deleted in HubSpot is created again as a new one.
func TestCreateOnlyOfDeletedContact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, createOnlyProperties())
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		other := fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults})
		e.fake, e.http = other, memoryTransport{other}
		r.stop()
		r = e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		if c := e.contact("ada@example.com"); c["lead_source"] != "portal" || c["firstname"] != "Ada" ||
			r.count(created) != 1 {
			t.Errorf("%v, %v created", c, r.count(created))
		}
	})
}

// TestNamedPropertyIsLeftOutOfOneContact checks that a value that HubSpot rejects costs the other contacts of the batch
// nothing.
func TestNamedPropertyIsLeftOutOfOneContact(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"list in the message": `,"message":"Property values were not valid: ` +
			`[{\"error\":\"INVALID_FORMAT\",\"name\":\"company\"}]"`,
		"context of an error": `,"errors":[{"message":"x","code":"INVALID_FORMAT","context":{"propertyName":["company"]}}]`,
		"context":             `,"context":{"propertyName":"company"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, map[string]mapping.Property{"firstname": {Claim: "given_name"}, "company": {Claim: "company"}},
					poison("Bad Company", respond(400, problemJSON("VALIDATION_ERROR", body))))
				r := e.replica()
				for _, company := range []string{"ACME", "Bad Company", "Initech", "Hooli"} {
					l := testLogin(strings.ToLower(company[:3]) + "@example.com")
					l.Claims["company"] = company
					e.enqueue(r, l)
				}
				e.waitDrained(e.startReplica())
				for _, c := range e.fake.Contacts() {
					bad := c.Properties["email"] == "bad@example.com"
					if c.Properties["firstname"] != "Ada" || (c.Properties["company"] == "") != bad {
						t.Errorf("%v", c.Properties)
					}
				}
				s, err := r.Status(t.Context())
				if err != nil || s.Dead != 0 || len(s.RejectedProperties) != 1 || s.RejectedProperties[0].Count != 1 ||
					!strings.HasPrefix(s.RejectedProperties[0].Reason, "HubSpot rejects the value") {
					t.Errorf("%+v %v", s, err)
				}
			})
		})
	}
}
