package hubspot

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/internal/seal"
)

// newRejectingEnv returns an env whose HubSpot rejects contacts while reject is true, which it is at first.
func newRejectingEnv(t *testing.T) (e *env, reject *atomic.Bool) {
	t.Helper()
	reject = &atomic.Bool{}
	reject.Store(true)
	return newEnv(t, usualProperties(), rejectWhile(reject)), reject
}

// deadEmails returns the addresses of the dead letters.
func (e *env) deadEmails(r *replica) (emails []string) {
	e.t.Helper()
	page, err := r.Dead(e.t.Context(), "", 1000)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, d := range page.Dead {
		emails = append(emails, d.Email)
	}
	return emails
}

func TestDeadLettersAreOnePerPerson(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, reject := newRejectingEnv(t)
		r := e.startReplica()
		for _, name := range []string{"First", "Second", "Third"} {
			e.enqueue(r, loginNamed("ada@example.com", name))
			e.enqueue(r, loginNamed("bob@example.com", name))
			e.waitDrained(r)
			if emails := e.deadEmails(r); len(emails) != 2 || emails[0] == emails[1] {
				t.Fatalf("after login %s: %q", name, emails)
			}
		}
		page, err := r.Dead(t.Context(), "", 1000)
		if err != nil || page.Dead[0].Properties["firstname"] != "Third" {
			t.Errorf("%+v %v", page, err)
		}
		reject.Store(false)
		e.enqueue(r, loginNamed("ada@example.com", "Fourth"))
		e.waitDrained(r)
		if emails := e.deadEmails(r); len(emails) != 1 || emails[0] != "bob@example.com" {
			t.Errorf("after HubSpot accepted a later login: %q", emails)
		}
	})
}

// opened returns a sealed value of the queue.
func (e *env) opened(sealed string) string {
	e.t.Helper()
	ring, err := seal.New(e.key)
	if err != nil {
		e.t.Fatal(err)
	}
	plain, err := ring.Open(seal.Outbox, []byte(sealed), []byte("hubgate:{crm}:stream"))
	if err != nil {
		e.t.Fatal(err)
	}
	return string(plain)
}

func TestDeadLetterHoldsOnlyMappedValues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, reject := newRejectingEnv(t)
		delete(e.cfg.Contacts.Properties, "portal_groups")
		r := e.startReplica()
		l := loginNamed("ada@example.com", "Mapped")
		l.Claims["phone_number"], l.Claims["custom:salary"] = "+1 555 0100", 90000
		l.Name, l.Groups, l.UTK, l.Address = "Whole Name", []string{"patients"}, strings.Repeat("c", 32), "192.0.2.7"
		e.enqueue(r, l)
		e.waitDrained(r)
		letters, err := e.mini.Stream("hubgate:{crm}:dead")
		if err != nil || len(letters) != 1 {
			t.Fatal(letters, err)
		}
		letter := e.opened(letters[0].Values[1])
		for _, text := range []string{"0100", "90000", "Whole", "patients", "ccc", "192.0.2.7", "secret"} {
			if strings.Contains(letter, text) {
				t.Errorf("the dead letter holds %s: %s", text, letter)
			}
		}
		reject.Store(false)
		if n, err := r.Replay(t.Context(), nil, true); n != 1 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		e.waitDrained(r)
		if c := e.contact("ada@example.com"); c["firstname"] != "Mapped" || c["portal_logins"] != "1" {
			t.Errorf("replayed: %v", c)
		}
	})
}

func TestDeadLettersEndAfter90Days(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, _ := newRejectingEnv(t)
		for day := range 3 {
			r := e.startReplica()
			e.enqueue(r, loginNamed(fmt.Sprintf("p%d@example.com", day), "Ada"))
			e.waitDrained(r)
			r.stop()
			time.Sleep(45 * 24 * time.Hour)
		}
		r := e.startReplica()
		e.waitFor("old letters are removed", func() bool { return len(e.deadEmails(r)) < 2 })
		if emails := e.deadEmails(r); len(emails) != 1 || emails[0] != "p2@example.com" {
			t.Errorf("after 135 days: %q", emails)
		}
	})
}

func TestDeadLettersCanBeDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, _ := newRejectingEnv(t)
		r := e.startReplica()
		for i := range 5 {
			e.enqueue(r, loginNamed(fmt.Sprintf("p%d@example.com", i), "Ada"))
		}
		e.waitDrained(r)
		page, err := r.Dead(t.Context(), "", 1000)
		if err != nil || len(page.Dead) != 5 {
			t.Fatal(page, err)
		}
		ids := []string{page.Dead[1].ID, page.Dead[3].ID, "1-1", "nonsense", ""}
		for i, want := range []int{2, 0} {
			if n, err := r.Drop(t.Context(), ids, false); n != want || err != nil {
				t.Errorf("time %d: dropped %d of the named ones, %v", i, n, err)
			}
		}
		if emails := e.deadEmails(r); len(emails) != 3 {
			t.Errorf("left: %q", emails)
		}
		if n, err := r.Drop(t.Context(), nil, true); n != 3 || err != nil || len(e.deadEmails(r)) != 0 {
			t.Errorf("dropped %d of all, %v", n, err)
		}
	})
}
