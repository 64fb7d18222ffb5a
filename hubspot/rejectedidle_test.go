package hubspot

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
)

// TestRejectedPropertyVanishesAfterARestart checks that the status forgets a property that was created or changed while
// no replica ran, although there are no logins; and that the definitions are not read if there is nothing to forget.
func TestRejectedPropertyVanishesAfterARestart(t *testing.T) {
	t.Parallel()
	text := fakehubspot.Property{Name: "tier", Type: "string", FieldType: "text"}
	archived, calculated, readOnly := text, text, text
	archived.Archived, calculated.Calculated = true, true
	readOnly.Modification = &fakehubspot.Modification{ReadOnlyValue: true}
	for name, before := range map[string]*fakehubspot.Property{
		"missing": nil, "archived": &archived, "calculated": &calculated, "read-only": &readOnly, "fine": &text,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, map[string]mapping.Property{"tier": {Claim: "tier"}})
				if before != nil {
					e.fake.Define(*before)
				}
				r := e.startReplica()
				l := testLogin("ada@example.com")
				l.Claims["tier"] = "gold"
				e.enqueue(r, l)
				e.waitDrained(r)
				r.stop()
				if list := e.rejected(r); len(list) != 1 && name != "fine" {
					t.Fatal(list)
				}
				e.fake.Define(text)
				calls := len(e.fake.Calls())
				r = e.startReplica()
				time.Sleep(3 * time.Minute)
				if list := e.rejected(r); len(list) > 0 {
					t.Error(list)
				}
				if n := len(e.fake.Calls()) - calls; n > 1 || name == "fine" && n > 0 {
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}
