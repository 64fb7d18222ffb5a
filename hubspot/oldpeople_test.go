package hubspot

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

func TestOldPersonIsRecognized(t *testing.T) {
	t.Parallel()
	withOldRecords(t, func(e *env, r *replica) {
		e.start(r)
		e.waitDrained(r)
		for _, name := range []string{"sent.oldkey", "sent", "bound"} {
			l := testLogin(name + "@example.com")
			l.Subject, l.UTK = "sub-"+name, strings.Repeat("a", 32)
			if name == "bound" {
				l.UTK = strings.Repeat("b", 32)
			}
			before, err := r.LastSync(e.t.Context(), l.Issuer, l.Subject)
			if err != nil || before.ContactID == "" || before.At.IsZero() && name != "sent.oldkey" {
				e.t.Errorf("%s: %+v %v", name, before, err)
			}
			e.enqueue(r, l)
		}
		e.waitDrained(r)
		for name, logins := range map[string]string{"sent.oldkey": "2", "sent": "3", "bound": "3"} {
			if c := e.contact(name + "@example.com"); c["portal_logins"] != logins || c["firstname"] != "Ada" {
				e.t.Errorf("%s: %v", name, c)
			}
		}
		if sent := e.fake.Submissions(); slices.ContainsFunc(sent, func(s fakehubspot.Submission) bool {
			return s.Email == "bound@example.com" || s.Email == "sent@example.com" || s.Email == "sent.oldkey@example.com"
		}) {
			e.t.Errorf("a browser that was linked before is linked again: %+v", sent)
		}
	})
}

func TestOldPersonIsForgotten(t *testing.T) {
	t.Parallel()
	withOldRecords(t, func(e *env, r *replica) {
		forgotten := []string{"queued.oldkey", "sent.oldkey", "sent", "bound", "held", "inflight", "linkpending",
			"blocked.two", "blocked.oldkey", "forced"}
		before := e.redis.Keys(e.t.Context(), "hubgate:{crm}:[pb]:*").Val()
		erased := 0
		for _, name := range forgotten {
			email := strings.ToUpper(name) + "@example.com"
			shown, err := r.Show(e.t.Context(), email, nil)
			if err != nil || len(shown.Queue)+len(shown.Dead)+len(shown.Records) == 0 {
				e.t.Errorf("%s: %+v %v", name, shown, err)
			}
			ended := Sessions{End: func(context.Context) (int, error) { return 0, nil }}
			f, err := r.Forget(e.t.Context(), email, ended)
			if err != nil || f.InFlight { // nobody holds the lease
				e.t.Errorf("%s: %+v %v", name, f, err)
			}
			erased += f.Records + f.Browsers
			shown, err = r.Show(e.t.Context(), email, nil)
			if err != nil || !shown.Forgotten ||
				len(shown.Queue)+len(shown.Dead)+len(shown.Records)+len(shown.Browsers) != 0 {
				e.t.Errorf("%s after it was forgotten: %+v %v", name, shown, err)
			}
		}
		after := e.redis.Keys(e.t.Context(), "hubgate:{crm}:[pb]:*").Val()
		if len(before)-len(after) != erased || erased < len(forgotten) {
			e.t.Errorf("%d of %d records erased, %d are left", erased, len(before), len(after))
		}
		e.start(r)
		e.waitDrained(r)
		for _, name := range forgotten {
			if c := e.contact(name + "@example.com"); c["portal_logins"] > "1" || c != nil && c["lead_source"] == "portal" {
				e.t.Errorf("%s is sent: %v", name, c)
			}
		}
		if c := e.contact("twice@example.com"); c["portal_logins"] != "2" {
			e.t.Errorf("somebody else: %v", c)
		}
	})
}
