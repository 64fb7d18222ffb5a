package hubspot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

var testProvider = mapping.Provider{Issuer: "https://idp.example", GroupsClaim: "cognito:groups"}

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

func importProperties() map[string]mapping.Property {
	return map[string]mapping.Property{
		"firstname": {Claim: "given_name"}, "cognito_sub": {Claim: "sub"}, "lead_source": {Constant: "portal"},
		"last_seen": {Value: mapping.ValueLoginTime}, "portal_logins": {Value: mapping.ValueLoginCount},
		"portal_page": {Value: mapping.ValueFirstPage}, "portal_host": {Value: mapping.ValueHost},
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
		e.cfg.Contacts.Properties["city"] = mapping.Property{Claim: "city"}
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

// importStep does one step of TestImportNeverOverwritesALogin.
// makeDead makes the only entry of the queue a dead letter.
func TestImportSkipsPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, map[string]mapping.Property{"portal_groups": {Claim: "cognito:groups"}})
		e.cfg.Contacts.RequireVerifiedEmail = false
		e.cfg.Contacts.Skip = mapping.Skip{Groups: []string{"staff"}, EmailDomains: []string{"corp.example"}}
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
			if s.Excluded != (s.Row == 2 || s.Row == 3) { // by skip.groups and skip.email_domains
				t.Errorf("excluded: %+v", s)
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
		if s, err := r.Status(t.Context()); err != nil || s.Sync != "on" {
			t.Errorf("sync is on: %+v %v", s, err)
		}
		e.cfg.Contacts.Sync = false
		r.Set(e.cfg)
		if s, err := r.Status(t.Context()); err != nil || s.Sync != "off" {
			t.Errorf("sync is off: %+v %v", s, err)
		}
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
