package hubspot

import (
	"testing"
	"testing/synctest"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
)

func TestIfEmptyKeepsValuesAfterEmailChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, map[string]mapping.Property{
			"cognito_sub": {Claim: "sub"}, "firstname": {Claim: "given_name", Write: mapping.WriteIfEmpty},
			"lastname": {Claim: "family_name", Write: mapping.WriteIfEmpty},
		})
		e.fake.Add(map[string]string{"email": "old@example.com", "cognito_sub": "sub-a", "firstname": "Augusta"})
		r := e.startReplica()
		l := testLogin("new@example.com")
		l.Subject, l.Claims = "sub-a", map[string]any{"given_name": "Ada", "family_name": "Byron"}
		e.enqueue(r, l)
		e.waitDrained(r)
		if c := e.contact("new@example.com"); c["firstname"] != "Augusta" || c["lastname"] != "Byron" ||
			e.contact("old@example.com") != nil {
			t.Errorf("%v", e.fake.Contacts())
		}
	})
}

func TestIfEmptyWithoutReadScope(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, map[string]mapping.Property{"firstname": {Claim: "given_name", Write: mapping.WriteIfEmpty},
			"lead_source": {Constant: "portal", Write: mapping.WriteCreateOnly}, "city": {Constant: "Berlin"}},
			func(c *fakehubspot.Config) {
				c.Scopes = []string{"crm.objects.contacts.write", "crm.schemas.contacts.read"}
			})
		e.fake.Add(map[string]string{"email": "there@example.com"})
		r := e.startReplica()
		for _, email := range []string{"there@example.com", "new@example.com"} {
			e.enqueue(r, testLogin(email))
		}
		e.waitDrained(r)
		for _, c := range e.fake.Contacts() {
			if c.Properties["firstname"]+c.Properties["lead_source"] != "" || c.Properties["city"] != "Berlin" {
				t.Errorf("%v", c)
			}
		}
		s, err := r.Status(t.Context())
		if err != nil || len(s.RejectedProperties) != 2 {
			t.Fatalf("%+v %v", s, err)
		}
		for _, p := range s.RejectedProperties {
			if p.Count != 2 || p.Reason != crm.NoRead.Sentence() {
				t.Errorf("%+v", p)
			}
		}
	})
}
