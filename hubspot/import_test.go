package hubspot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/seal"
)

var testProvider = Provider{Issuer: "https://idp.example", GroupsClaim: "cognito:groups"}

const testFile = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// importOf returns an Import of people with the same claims as testLogin, but another name.
func importOf(emails ...string) Import {
	in := Import{File: testFile}
	for i, email := range emails {
		in.Rows = append(in.Rows, ImportRow{Row: i + 1, Claims: map[string]string{
			"email": email, "email_verified": "true", "sub": "sub-" + email, "given_name": "File",
		}})
	}
	return in
}

func (e *env) importFile(r *replica, in Import) Imported {
	e.t.Helper()
	done, err := r.Import(e.t.Context(), testProvider, in)
	if err != nil {
		e.t.Fatal(err)
	}
	return done
}

func importProperties() map[string]PropertyConfig {
	return map[string]PropertyConfig{
		"firstname": {Claim: "given_name"}, "cognito_sub": {Claim: "sub"}, "lead_source": {Constant: "portal"},
		"last_seen": {Value: valueLoginTime}, "portal_logins": {Value: valueLoginCount},
		"portal_page": {Value: valueFirstPage}, "portal_host": {Value: valueHost},
	}
}

func TestImportWritesNoLoginValues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, importProperties())
		r := e.startReplica()
		done := e.importFile(r, importOf("ada@example.com"))
		if d := cmp.Diff(Imported{Rows: 1, Queued: 1, Skipped: []SkippedRow{}}, done); d != "" {
			t.Error(d)
		}
		e.waitDrained(r)
		want := map[string]string{
			"email": "ada@example.com", "firstname": "File", "cognito_sub": "sub-ada@example.com", "lead_source": "portal",
		}
		got := e.contact("ada@example.com")
		for name := range got {
			if _, mapped := importProperties()[name]; !mapped && name != "email" {
				delete(got, name)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

func TestImportQueuesARowOncePerMapping(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, importProperties())
		front := e.replica()
		in := importOf("ada@example.com", "bob@example.com")
		e.importFile(front, in)
		e.importFile(front, importOf("ada@example.com", "bob@example.com", "eve@example.com"))
		if done := e.importFile(front, in); done.Repeated != 2 || done.Queued != 0 {
			t.Errorf("%+v", done)
		}
		if s, err := front.Status(t.Context()); err != nil || s.Queued != 3 {
			t.Errorf("%+v %v", s, err)
		}
		e.cfg.Contacts.Properties["city"] = PropertyConfig{Claim: "city"}
		front.Set(e.cfg)
		if done := e.importFile(front, in); done.Queued != 2 {
			t.Errorf("with another mapping: %+v", done)
		}
		in.File = strings.Repeat("0", 64)
		if done := e.importFile(front, in); done.Queued != 2 {
			t.Errorf("another file: %+v", done)
		}
	})
}

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

// importStep does one step of TestImportNeverOverwritesALogin.
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

// makeDead makes the only entry of the queue a dead letter.
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

func TestImportSkipsPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, map[string]PropertyConfig{"portal_groups": {Claim: "cognito:groups"}})
		e.cfg.Contacts.RequireVerifiedEmail = false
		e.cfg.Contacts.Skip = SkipConfig{Groups: []string{"staff"}, EmailDomains: []string{"corp.example"}}
		in := importOf("a@example.com", "b@example.com", "c@corp.example", "d@example.com", "", "f@", "g@example.com")
		for i, groups := range []string{"", "x; staff", "", "", "", ""} {
			in.Rows[i].Claims["cognito:groups"] = groups
		}
		in.Rows[3].Claims["email_verified"] = "false"
		r := e.replica()
		done := e.importFile(r, in)
		var rows []int
		for _, s := range done.Skipped {
			if rows = append(rows, s.Row); s.Reason == "" {
				t.Errorf("no reason: %+v", s)
			}
		}
		if !slices.Equal(rows, []int{2, 3, 4, 5, 6, 7}) || done.Rows != 7 || done.Queued != 1 {
			t.Errorf("%+v", done)
		}
		in.TrustEmails = true
		if done = e.importFile(r, in); done.Queued != 1 || done.Repeated != 1 {
			t.Errorf("trusted: %+v", done)
		}
	})
}

func TestImportLeavesRoomForLogins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, importProperties())
		var emails []string
		for i := range 900 {
			emails = append(emails, fmt.Sprintf("p%d@example.com", i))
		}
		front, files := e.replica(), []string{"1", "2", "3"}
		var done Imported
		for _, file := range files {
			in := importOf(emails...)
			in.File = strings.Repeat(file, 64)
			done = e.importFile(front, in)
		}
		if want := outbox.MaxImportQueue - 1800; done.Rows != want || done.Queued != want || done.Retry < 1 {
			t.Errorf("%+v", done)
		}
		e.enqueue(front, testLogin("ada@example.com"))
		e.waitDrained(e.startReplica())
		if e.contact("ada@example.com")["firstname"] != "Ada" || e.contact("p899@example.com") == nil {
			t.Error("not everybody has a contact")
		}
	})
}

func TestImportRejectsInvalidRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, nil)
		r := e.replica()
		for name, change := range map[string]func(*Import){
			"no file":       func(in *Import) { in.File = "" },
			"no hash":       func(in *Import) { in.File = strings.Repeat("x", 64) },
			"no rows":       func(in *Import) { in.Rows = nil },
			"row 0":         func(in *Import) { in.Rows[0].Row = 0 },
			"large row":     func(in *Import) { in.Rows[0].Row = outbox.MaxImportRow + 1 },
			"too many rows": func(in *Import) { in.Rows = slices.Repeat(in.Rows, maxImportRows+1) },
		} {
			in := importOf("ada@example.com")
			change(&in)
			var bad ImportError
			if _, err := r.Import(t.Context(), testProvider, in); !errors.As(err, &bad) {
				t.Errorf("%s: %v", name, err)
			}
		}
		e.cfg.Contacts.Sync = false
		r.Set(e.cfg)
		if _, err := r.Import(t.Context(), testProvider, importOf("a@example.com")); !errors.Is(err, ErrOff) {
			t.Errorf("sync is off: %v", err)
		}
	})
}

func TestImportOfALaterFileUpdatesContacts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, importProperties())
		for i, name := range []string{"First", "Second"} {
			in := importOf("ada@example.com")
			in.File, in.Rows[0].Claims["given_name"] = strings.Repeat(fmt.Sprint(i), 64), name
			r := e.startReplica()
			e.importFile(r, in)
			e.waitDrained(r)
			r.stop()
			if got := e.contact("ada@example.com")["firstname"]; got != name {
				t.Errorf("firstname is %q", got)
			}
		}
	})
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
