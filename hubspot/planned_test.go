package hubspot

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hubgate/hubgate/hubspot/mapping"
)

// TestValuesThatWereHeldBackAreNotShown checks that an error does not show a value that a contact has already, so that
// it was planned, but not sent.
func TestValuesThatWereHeldBackAreNotShown(t *testing.T) {
	t.Parallel()
	for _, write := range []string{mapping.WriteIfEmpty, mapping.WriteCreateOnly, "always"} {
		t.Run(write, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				properties := map[string]mapping.Property{"company": {Claim: "company", Write: write}, "city": {Claim: "city"}}
				e := newEnv(t, properties, poison("Wartburg",
					respond(400, problemJSON("VALIDATION_ERROR", `,"message":"Kolumna Works is blocked"`))))
				e.fake.Add(map[string]string{"email": "ada@example.com", "company": "Kolumna Works"})
				r := e.startReplica()
				l := testLogin("ada@example.com")
				l.Claims = map[string]any{"company": "Kolumna Works", "city": "Wartburg"}
				e.enqueue(r, l)
				e.waitDrained(r)
				dead, err := r.Dead(t.Context(), "", 10)
				if err != nil || len(dead.Dead) != 1 || strings.Contains(dead.Dead[0].Reason, "Kolumna") {
					t.Errorf("%+v %v", dead, err)
				}
			})
		})
	}
}
