package hubspot

import (
	"testing"
	"testing/synctest"

	"github.com/hubgate/hubgate/hubspot/mapping"
)

// TestLoginsWithoutAClaimAreCountedOnce checks that a login counts once for a claim, whatever number of properties it
// is mapped to, and that each of them is named.
func TestLoginsWithoutAClaimAreCountedOnce(t *testing.T) {
	t.Parallel()
	for name, properties := range map[string]map[string]mapping.Property{
		"one property":    {"firstname": {Claim: "nick"}},
		"two properties":  {"firstname": {Claim: "nick"}, "lastname": {Claim: "nick"}},
		"different modes": {"firstname": {Claim: "nick"}, "company": {Claim: "nick", Write: mapping.WriteIfEmpty}},
		"between others": {
			"city": {Claim: "nick"}, "company": {Claim: "given_name"}, "firstname": {Claim: "nick"}, "lastname": {Claim: "nick"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, properties)
				r := e.startReplica()
				e.enqueue(r, testLogin("ada@example.com"))
				e.waitDrained(r)
				e.enqueue(r, testLogin("bob@example.com"))
				e.waitDrained(r)
				s, err := r.Status(t.Context())
				want := 0
				for _, p := range properties {
					if p.Claim == "nick" {
						want++
					}
				}
				if err != nil || len(s.UnseenClaims) != want {
					t.Fatalf("%+v, %v", s.UnseenClaims, err)
				}
				for _, u := range s.UnseenClaims {
					if u.Logins != 2 {
						t.Errorf("%s: %d logins", u.Property, u.Logins)
					}
				}
			})
		})
	}
}
