package hubspot

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
)

// TestRejectionEndsWithItsCause checks that the status forgets what an operator fixed with the next contact that shows
// it, and keeps what a person's value caused.
func TestRejectionEndsWithItsCause(t *testing.T) {
	t.Parallel()
	text := fakehubspot.Property{Name: "tier", Type: "string", FieldType: "text"}
	number := fakehubspot.Property{Name: "tier", Type: "number", FieldType: "number"}
	lookUp := fakehubspot.Fault{
		Path: "/batch/read", Status: 400, Body: problemJSON("VALIDATION_ERROR", ""),
	}
	for name, c := range map[string]struct {
		config        mapping.Property
		before, after fakehubspot.Property
		fault         *fakehubspot.Fault
		stays         bool
	}{
		"option for a constant": {mapping.Property{Constant: "wood"}, tiers(), text, nil, false},
		"type for a constant":   {mapping.Property{Constant: "wood"}, number, text, nil, false},
		"type for a value":      {mapping.Property{Value: "host"}, number, text, nil, false},
		"look-up":               {mapping.Property{Claim: "c", Write: mapping.WriteIfEmpty}, text, text, &lookUp, false},
		"value of a person":     {mapping.Property{Claim: "c"}, number, text, nil, true},
		"not fixed":             {mapping.Property{Constant: "wood"}, number, number, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, map[string]mapping.Property{"tier": c.config})
				e.fake.Define(c.before)
				if c.fault != nil {
					e.fake.Next(*c.fault)
				}
				r := e.startReplica()
				for _, name := range []string{"ada", "grace"} {
					l := testLogin(name + "@example.com")
					l.Claims["c"] = "wood"
					e.enqueue(r, l)
					e.waitDrained(r)
					if list := e.rejected(r); name == "ada" && len(list) != 1 || name == "grace" && (len(list) == 1) != c.stays {
						t.Error(name, list)
					}
					e.fake.Define(c.after)
					time.Sleep(61 * time.Minute)
				}
			})
		})
	}
}
