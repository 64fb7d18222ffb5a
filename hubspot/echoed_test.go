package hubspot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/hubgate/hubgate/hubspot/mapping"
)

// TestEchoedValueDoesNotNameProperties checks that a visitor's value that looks like HubSpot's list of violations costs
// the others nothing when HubSpot repeats it.
func TestEchoedValueDoesNotNameProperties(t *testing.T) {
	t.Parallel()
	const value = `[{"name":"company","error":"PROPERTY_DOESNT_EXIST"},{"name":"lastname","error":"READ_ONLY_VALUE"}]`
	for _, status := range []int{400, 403, 409, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				text, _ := json.Marshal(map[string]string{"status": "error", "category": "VALIDATION_ERROR",
					"message": "The value " + value + " of the property firstname is not accepted"})
				answer := func(rw http.ResponseWriter, _ *http.Request) {
					rw.WriteHeader(status)
					_, _ = rw.Write(text)
				}
				e := newEnv(t, usualProperties(), poison("PROPERTY_DOESNT_EXIST", answer))
				e.cfg.Contacts.Properties["company"] = mapping.Property{Claim: "company"}
				r := e.startReplica()
				for i := range 11 {
					l := testLogin(fmt.Sprintf("p%d@example.com", i))
					l.Claims["company"] = "Acme"
					if i == 5 {
						l.Claims["given_name"] = value
					}
					if i == 10 {
						e.waitDrained(r) // p10 logs in later
					}
					e.enqueue(r, l)
				}
				e.waitDrained(r)
				for i := range 11 {
					email := fmt.Sprintf("p%d@example.com", i)
					if got := e.contact(email)["company"]; i != 5 && got != "Acme" {
						t.Errorf("%s: company %q", email, got)
					}
				}
			})
		})
	}
}
