package hubspot

import (
	"testing"
	"testing/synctest"

	"github.com/hubgate/hubgate/hubspot/mapping"
)

// TestUniqueClaimDoesNotTakeOverContact checks that a claim that visitors may choose does not lead to another person's
// contact, even if its property has unique values.
func TestUniqueClaimDoesNotTakeOverContact(t *testing.T) {
	t.Parallel()
	for _, claim := range []string{"custom:member_no", "preferred_username", "phone_number"} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties())
				e.cfg.Contacts.Properties["cognito_sub"] = mapping.Property{Claim: claim} // has unique values
				r := e.startReplica()
				victim, evil := testLogin("victim@example.com"), testLogin("evil@example.com")
				victim.Claims[claim], evil.Claims[claim], evil.Claims["given_name"] = "1001", "1001", "Evil"
				e.enqueue(r, victim)
				e.waitDrained(r)
				e.enqueue(r, evil)
				e.waitDrained(r)
				if c := e.contact("victim@example.com"); c["firstname"] != "Ada" || c["cognito_sub"] != "1001" {
					t.Errorf("the victim's contact is the attacker's: %v", e.fake.Contacts())
				}
				if c := e.contact("evil@example.com"); c["firstname"] != "Evil" || c["cognito_sub"] != "" {
					t.Errorf("the attacker's own contact: %v", e.fake.Contacts())
				}
			})
		})
	}
}
