package hubspot

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// TestPoisonedIdentityDoesNotHarmOthers has the poison in what finds a contact, so that calls that read are refused as
// well.
func TestPoisonedIdentityDoesNotHarmOthers(t *testing.T) {
	t.Parallel()
	for name, as := range map[string]fakehubspot.Reaction{
		"blocked": fakehubspot.Blocked, "rejected": fakehubspot.Rejected, "failed": fakehubspot.Failed,
		"garbled": fakehubspot.Garbled,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newPoisonedEnv(t, badContact{arrange: dislike(as)})
				e.cfg.Contacts.Properties["firstname"] = mapping.Property{Claim: "given_name", Write: mapping.WriteIfEmpty}
				e.cfg.Contacts.Properties["cognito_sub"] = mapping.Property{Claim: "sub"}
				r := e.startReplica()
				healthy := e.watchHealth(r)
				e.enqueueCrowd(r, func(l *outbox.Login) { l.Subject = "sub-" + venom })
				e.waitDrained(r)
				healthy()
				e.checkCrowd()
				if dead := e.deadEmails(r); len(dead) != 1 || dead[0] != poisonedEmail {
					t.Errorf("dead letters: %q", dead)
				}
			})
		})
	}
}

func TestPoisonedAddressChangeDoesNotHarmOthers(t *testing.T) {
	t.Parallel()
	for name, as := range map[string]fakehubspot.Reaction{
		"blocked": fakehubspot.Blocked, "rejected": fakehubspot.Rejected, "failed": fakehubspot.Failed,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newPoisonedEnv(t, badContact{arrange: dislike(as)})
				e.cfg.Contacts.Properties["cognito_sub"] = mapping.Property{Claim: "sub"}
				r := e.startReplica()
				healthy := e.watchHealth(r)
				for _, change := range []string{"old", venom} {
					for i := range 5 {
						l := testLogin(fmt.Sprintf("%d@new.example.com", i))
						if l.Subject = fmt.Sprintf("person-%d", i); change == "old" {
							l.Email = fmt.Sprintf("%d@old.example.com", i)
						} else if i == 3 {
							l.Email = venom + "@new.example.com"
						}
						e.enqueue(r, l)
					}
					e.waitDrained(r)
				}
				healthy()
				for i := range 5 {
					if c := e.contact(fmt.Sprintf("%d@new.example.com", i)); i != 3 && c["portal_logins"] != "2" {
						t.Errorf("person %d: %v", i, c)
					}
				}
				if dead := e.deadEmails(r); len(dead) != 1 || !strings.HasPrefix(dead[0], venom) || len(e.fake.Contacts()) != 5 {
					t.Errorf("dead letters: %q; %d contacts", dead, len(e.fake.Contacts()))
				}
			})
		})
	}
}

func TestPoisonedFormDoesNotHarmOthers(t *testing.T) {
	t.Parallel()
	for name, as := range map[string]fakehubspot.Reaction{
		"blocked": fakehubspot.Blocked, "rejected": fakehubspot.Rejected, "failed": fakehubspot.Failed,
		"stuck": fakehubspot.Stuck,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newLinkEnv(t)
				e.fake.Dislike(fakehubspot.Dislike{Text: venom, As: as})
				r := e.startReplica()
				healthy := e.watchHealth(r)
				for i := range 10 {
					l := visitor(fmt.Sprintf("p%d@example.com", i), strings.Repeat(fmt.Sprint(i), 32))
					if i == 4 {
						l.FirstPage = "/members/" + venom
					}
					e.enqueue(r, l)
				}
				e.waitFor("the others are linked", func() bool { return len(e.fake.Submissions()) == 9 })
				e.waitDrained(r)
				healthy()
				if n := len(e.fake.Contacts()); n != 10 || len(e.deadEmails(r)) != 0 {
					t.Errorf("%d contacts, dead letters: %q", n, e.deadEmails(r))
				}
			})
		})
	}
}

func TestSeveralPoisonedContactsAreIsolated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newPoisonedEnv(t, badContact{arrange: func(e *env) {
			e.fake.Dislike(
				fakehubspot.Dislike{Text: "venom-a", As: fakehubspot.Blocked},
				fakehubspot.Dislike{Text: "venom-b", As: fakehubspot.Rejected},
				fakehubspot.Dislike{Text: "venom-c", As: fakehubspot.Failed},
				fakehubspot.Dislike{Text: "venom-d", As: fakehubspot.RejectedByName},
			)
		}})
		r := e.startReplica()
		healthy := e.watchHealth(r)
		poisoned := map[int]string{0: "venom-a", 1: "venom-b", 50: "venom-c", 51: "venom-a", 98: "venom-d", 99: "venom-b"}
		for i := range crowd {
			l := testLogin(fmt.Sprintf("p%d@example.com", i))
			l.Claims["company"] = poisoned[i] + "Acme"
			e.enqueue(r, l)
		}
		e.waitDrained(r)
		healthy()
		dead := map[string]bool{}
		for _, email := range e.deadEmails(r) {
			dead[email] = true
		}
		for i := range crowd {
			email := fmt.Sprintf("p%d@example.com", i)
			c, v := e.contact(email), poisoned[i]
			switch {
			case v == "" && c["company"] != "Acme", v == "venom-d" && (c["firstname"] != "Ada" || c["company"] != ""):
				t.Errorf("%s: %v", email, c)
			case dead[email] != (v != "" && v != "venom-d"):
				t.Errorf("%s is a dead letter: %v", email, dead[email])
			}
		}
	})
}

// TestPoisonMayChange has a firewall whose rules change: a contact that it rejected arrives with the next login, and
// another one is rejected.
func TestPoisonMayChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newPoisonedEnv(t, badContact{})
		r := e.startReplica()
		healthy := e.watchHealth(r)
		for day, place := range []string{"given_name", "company", "given_name", ""} {
			e.fake.Dislike(fakehubspot.Dislike{Text: fmt.Sprint("venom-", day), As: fakehubspot.Reaction(day % 2)})
			for i := range 20 {
				l := testLogin(fmt.Sprintf("p%d@example.com", i))
				l.Claims["company"] = fmt.Sprint("company-", day)
				if i == day*3 && place != "" {
					l.Claims[place] = fmt.Sprint("venom-", day)
				}
				e.enqueue(r, l)
			}
			e.waitDrained(r)
			refused := fmt.Sprintf("p%d@example.com", day*3)
			dead := e.deadEmails(r)
			if place == "" && len(dead) != 0 || place != "" && (len(dead) != 1 || dead[0] != refused) {
				t.Errorf("day %d: dead letters %q", day, dead)
			}
			for i := range 20 {
				email := fmt.Sprintf("p%d@example.com", i)
				c := e.contact(email)
				if (place == "" || email != refused) && c["company"] != fmt.Sprint("company-", day) {
					t.Errorf("day %d: %s is %v", day, email, c)
				}
			}
			time.Sleep(15 * time.Minute)
		}
		healthy()
	})
}

// slowly makes each call to HubSpot take half a second.
func slowly(account option) option {
	return func(c *fakehubspot.Config) {
		wrap := func(next http.Handler) http.Handler { return next }
		if account != nil {
			account(c)
			wrap = c.Wrap
		}
		c.Wrap = func(next http.Handler) http.Handler {
			next = wrap(next)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(500 * time.Millisecond)
				next.ServeHTTP(w, r)
			})
		}
	}
}

// TestReplicasIsolateBadContact replaces the replica that works again and again, while it isolates the bad contact.
func TestReplicasIsolateBadContact(t *testing.T) {
	t.Parallel()
	for name, p := range badContacts() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p.account = slowly(p.account)
				e := newPoisonedEnv(t, p)
				front := e.replica()
				e.enqueueCrowd(front, p.login)
				old := e.startReplica()
				for i := range 12 {
					next := e.startReplica()
					time.Sleep(time.Duration(i+1) * 350 * time.Millisecond)
					old.stop()
					old = next
				}
				e.waitDrained(front)
				e.checkCrowd()
				e.checkPoisoned(front, p)
			})
		})
	}
}
