package hubspot

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/seal"
)

func TestImportNeverOverwritesALogin(t *testing.T) {
	t.Parallel()
	login := testLogin("ada@example.com")
	for name, steps := range map[string][]string{
		"a login was sent":                        {"login", "send", "import", "send"},
		"a login is waiting":                      {"login", "import", "send"},
		"a login follows":                         {"import", "login", "send"},
		"a login follows later":                   {"import", "send", "login", "send"},
		"a login was sent and the file was known": {"import", "send", "login", "send", "other import", "send"},
		"a dead letter of a login is replayed":    {"dead login", "import", "send", "replay", "send"},
		"the login had another subject":           {"other login", "send", "import", "send"},
		"the login of another subject follows":    {"import", "other login", "send"},
		"both follow":                             {"other login", "import", "send"},
		"the login is of a person without sub":    {"login", "send", "import without sub", "send"},
		"without sub while the login is waiting":  {"login", "import without sub", "send"},
		"the dead letter of a login stays":        {"dead login", "import", "dead", "replay", "send"},
		"the dead letter of a file goes":          {"import", "dead", "login", "send", "nothing dead"},
		"the session key was replaced":            {"login", "send", "new key", "import", "send"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, importProperties())
				for _, step := range steps {
					e.importStep(step, login)
				}
				if got := e.contact("ada@example.com")["firstname"]; got != "Ada" {
					t.Errorf("firstname is %q", got)
				}
			})
		})
	}
}

func (e *env) importStep(step string, login outbox.Login) {
	e.t.Helper()
	r := e.replica()
	switch in := importOf(login.Email); step {
	case "login":
		e.enqueue(r, login)
	case "import":
		e.importFile(r, in)
	case "import without sub":
		delete(in.Rows[0].Claims, "sub")
		e.importFile(r, in)
	case "other login":
		login.Subject = "another"
		e.enqueue(r, login)
	case "other import":
		in.File = strings.Repeat("0", 64)
		e.importFile(r, in)
	case "send":
		time.Sleep(time.Minute)
		sender := e.startReplica()
		e.waitDrained(sender)
		sender.stop()
	case "dead login":
		e.enqueue(r, login)
		e.makeDead(r)
	case "dead":
		e.makeDead(r)
	case "nothing dead":
		if s, err := r.Status(e.t.Context()); err != nil || s.Dead > 0 {
			e.t.Errorf("%+v %v", s, err)
		}
	case "replay":
		if n, err := r.Replay(e.t.Context(), nil, true); n != 1 || err != nil {
			e.t.Error(n, err)
		}
	case "new key":
		e.key = seal.NewKey() + "," + e.key
	}
}

func (e *env) makeDead(r *replica) {
	e.t.Helper()
	leased, _, err := r.outbox.AcquireLease(e.t.Context(), "test")
	if err != nil {
		e.t.Fatal(err)
	}
	list, _, err := leased.Existing(e.t.Context(), "0")
	if err != nil || len(list) != 1 {
		e.t.Fatal(list, err)
	}
	pending := outbox.NewPending()
	pending.Add(list[0])
	err = errors.Join(leased.MoveToDeadLetters(e.t.Context(), pending.Jobs[0], "test", nil), leased.Release(e.t.Context()))
	if err != nil {
		e.t.Fatal(err)
	}
}

func TestImportCountsPeopleWhoLoggedIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, importProperties())
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		done := e.importFile(r, importOf("Ada@Example.com", "bob@example.com"))
		if d := cmp.Diff(Imported{Rows: 2, Queued: 1, LoggedIn: 1, Skipped: []SkippedRow{}}, done); d != "" {
			t.Error(d)
		}
	})
}

func TestImportSkipsForgottenPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, importProperties())
		front := e.replica()
		e.importFile(front, importOf("bob@example.com")) // before anybody was forgotten
		if _, err := e.replica().Forget(t.Context(), "ada@example.com", noSessions); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			done := e.importFile(front, importOf("bob@example.com", "ADA@example.com"))
			if done.Repeated != 1 || len(done.Skipped) != 1 || done.Skipped[0].Row != 2 || done.Rows != 2 {
				t.Errorf("%+v", done)
			}
		}
		if found := e.tracesOf("ada", e.key); len(found) > 0 {
			t.Error(found)
		}
		if _, err := front.Allow(t.Context(), "ada@example.com"); err != nil {
			t.Fatal(err)
		}
		if done := e.importFile(front, importOf("bob@example.com", "ADA@example.com")); done.Queued != 1 {
			t.Errorf("%+v", done)
		}
	})
}

func TestForgetRemovesAPersonOfAFile(t *testing.T) {
	t.Parallel()
	for _, sent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			e := newEnv(t, importProperties())
			front := e.replica()
			e.importFile(front, importOf("ada@example.com"))
			if sent {
				r := e.startReplica()
				e.waitDrained(r)
				r.stop()
			}
			if _, err := front.Forget(t.Context(), "ada@example.com", noSessions); err != nil {
				t.Fatal(err)
			}
			if found := e.tracesOf("ada", e.key); len(found) > 0 {
				t.Errorf("sent: %v: %q", sent, found)
			}
		})
	}
}

func TestLoginsAreSentBeforePeopleOfFiles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var first atomic.Pointer[string]
		e := newEnv(t, importProperties(), func(c *fakehubspot.Config) {
			c.Wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if body := bodyOf(r); strings.HasSuffix(r.URL.Path, "/upsert") {
						first.CompareAndSwap(nil, &body)
					}
					next.ServeHTTP(w, r)
				})
			}
		})
		var emails []string
		for i := range 3 * batchSize {
			emails = append(emails, fmt.Sprintf("p%d@example.com", i))
		}
		r := e.replica()
		e.importFile(r, importOf(emails...))
		e.enqueue(r, testLogin("ada@example.com"))
		r = e.startReplica()
		e.waitDrained(r)
		body := *first.Load()
		if !strings.Contains(body, "ada@example.com") || strings.Count(body, "@example.com") < batchSize {
			t.Errorf("the first call is %.300s", body)
		}
		if n := len(e.fake.Contacts()); n != len(emails)+1 {
			t.Errorf("%d contacts", n)
		}
	})
}
