package hubspot

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
)

// lookUpReactions are the ways in which the look-up of several contacts fails because of one of them.
func lookUpReactions() map[string]fakehubspot.Reaction {
	return map[string]fakehubspot.Reaction{
		"blocked": fakehubspot.Blocked, "rejected": fakehubspot.Rejected, "failed": fakehubspot.Failed,
		"too large": fakehubspot.TooLarge, "missing": fakehubspot.Missing, "stuck": fakehubspot.Stuck,
	}
}

// TestPoisonedReadLinksOthers checks that an address for which the read before form submissions fails costs the others
// of the batch no link.
func TestPoisonedReadLinksOthers(t *testing.T) {
	t.Parallel()
	for name, as := range lookUpReactions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newLinkEnv(t)
				e.fake.Dislike(fakehubspot.Dislike{Text: venom, Path: "/batch/read", As: as})
				r := e.startReplica()
				healthy := e.watchHealth(r)
				for i := range 10 {
					l := visitor(fmt.Sprintf("p%d@example.com", i), strings.Repeat(fmt.Sprint(i), 32))
					if i == 4 {
						l.Email = venom + "@example.com"
					}
					e.enqueue(r, l)
				}
				e.waitDrained(r)
				healthy()
				if n := len(e.fake.Submissions()); n != 9 || len(e.fake.Contacts()) != 10 {
					t.Errorf("%d of 9 others are linked; %d contacts", n, len(e.fake.Contacts()))
				}
			})
		})
	}
}

// TestPoisonedLookUpDoesNotDuplicateContacts checks that a unique value for which the look-up fails does not hide the
// contacts of others, whose addresses have changed.
func TestPoisonedLookUpDoesNotDuplicateContacts(t *testing.T) {
	t.Parallel()
	for name, as := range lookUpReactions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties())
				e.cfg.Contacts.Properties["cognito_sub"] = mapping.Property{Claim: "sub"}
				r := e.startReplica()
				for i := range 6 {
					l := testLogin(fmt.Sprintf("%d@new.example.com", i))
					l.Subject = fmt.Sprintf("m-%d", i)
					if i == 5 {
						l.Subject += venom
					}
					old := map[string]string{"email": fmt.Sprintf("%d@old.example.com", i), "cognito_sub": l.Subject}
					e.fake.Add(old)
					e.enqueue(r, l)
				}
				e.fake.Dislike(fakehubspot.Dislike{Text: venom, Path: "/batch/read", As: as})
				time.Sleep(time.Minute)
				e.enqueue(r, testLogin("later@example.com")) // HubSpot accepts others
				e.waitDrained(r)
				for i := range 5 {
					if e.contact(fmt.Sprintf("%d@old.example.com", i)) != nil {
						t.Errorf("person %d has two contacts", i)
					}
				}
			})
		})
	}
}

// TestPoisonedReadKeepsValuesOfOthers checks that an address for which the read fails costs the others of the batch no
// value that is written only if the property is empty.
func TestPoisonedReadKeepsValuesOfOthers(t *testing.T) {
	t.Parallel()
	for name, as := range lookUpReactions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, map[string]mapping.Property{"firstname": {Claim: "given_name", Write: mapping.WriteIfEmpty}})
				e.fake.Dislike(fakehubspot.Dislike{Text: venom, Path: "/batch/read", As: as})
				r := e.startReplica()
				healthy := e.watchHealth(r)
				for i := range 10 {
					l := testLogin(fmt.Sprintf("p%d@example.com", i))
					if i == 4 {
						l.Email = venom + "@example.com"
					}
					e.enqueue(r, l)
				}
				e.waitDrained(r)
				healthy()
				for i := range 10 {
					email := fmt.Sprintf("p%d@example.com", i)
					if got := e.contact(email)["firstname"]; i != 4 && got != "Ada" {
						t.Errorf("%s: %q", email, got)
					}
				}
				s, err := r.Status(t.Context())
				if counted := len(s.RejectedProperties); err != nil || counted+int(s.Dead) != 1 {
					t.Errorf("%+v %v", s, err)
				}
			})
		})
	}
}

// TestContactThatCannotBeReadIsWritten checks that a contact arrives without the values that depend on what it has.
func TestContactThatCannotBeReadIsWritten(t *testing.T) {
	t.Parallel()
	for _, as := range []fakehubspot.Reaction{fakehubspot.Rejected, fakehubspot.TooLarge, fakehubspot.Missing} {
		synctest.Test(t, func(t *testing.T) {
			e := newEnv(t, usualProperties())
			e.cfg.Contacts.Properties["city"] = mapping.Property{Constant: "Berlin", Write: mapping.WriteIfEmpty}
			e.fake.Dislike(fakehubspot.Dislike{Text: venom, Path: "/batch/read", As: as})
			r := e.startReplica()
			began := time.Now()
			e.enqueue(r, testLogin(venom+"@example.com"))
			e.waitDrained(r)
			if c := e.contact(venom + "@example.com"); c["firstname"] != "Ada" || c["city"] != "" ||
				time.Since(began) > 10*time.Second {
				t.Errorf("%v after %v", c, time.Since(began))
			}
			s, err := r.Status(t.Context())
			if err != nil || len(s.RejectedProperties) != 1 ||
				!strings.HasPrefix(s.RejectedProperties[0].Reason, "HubSpot rejects the look-up of the contact (4") {
				t.Errorf("%+v %v", s, err)
			}
		})
	}
}
