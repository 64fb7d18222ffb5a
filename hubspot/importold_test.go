package hubspot

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// asOldVersion removes what a version without an index of addresses does not write.
func (e *env) asOldVersion() {
	for _, key := range e.mini.Keys() {
		if strings.HasPrefix(key, "hubgate:{crm}:e:") || strings.HasPrefix(key, "hubgate:{crm}:l:") {
			e.mini.Del(key)
		}
	}
}

// TestImportDoesNotOverwriteOldRecord checks that a row without sub is skipped if a version without an index of
// addresses has sent a login of the address: before the first start of this version, or between two starts of it.
func TestImportDoesNotOverwriteOldRecord(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(e *env){
		"first start": func(e *env) { e.mini.Del("hubgate:{crm}:indexed") },
		"between two starts": func(e *env) {
			if _, err := e.mini.Incr("hubgate:{crm}:fence", 1); err != nil {
				e.t.Fatal(err)
			}
		},
		"a login waits": func(e *env) {
			e.mini.Del("hubgate:{crm}:indexed")
			e.enqueue(e.replica(), testLogin("bob@example.com"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, importProperties())
				r := e.startReplica()
				e.enqueue(r, testLogin("ada@example.com"))
				e.waitDrained(r)
				r.stop()
				e.asOldVersion()
				between(e)
				r = e.startReplica()
				in := importOf("ada@example.com")
				delete(in.Rows[0].Claims, "sub")
				e.importFile(r, in)
				e.waitDrained(r)
				if got := e.contact("ada@example.com")["firstname"]; got != "Ada" {
					t.Errorf("firstname is %q", got)
				}
				r.stop()
				time.Sleep(401 * 24 * time.Hour)
				for _, key := range e.mini.Keys() {
					if strings.HasPrefix(key, "hubgate:{crm}:e:") {
						t.Errorf("the index is kept longer than the record: %s", key)
					}
				}
			})
		})
	}
}

// TestImportDoesNotOverwriteOldPerson checks the same with the records of the old version itself.
func TestImportDoesNotOverwriteOldPerson(t *testing.T) {
	t.Parallel()
	withOldRecords(t, func(e *env, r *replica) {
		e.start(r)
		e.waitDrained(r)
		in := importOf("held@example.com", "sent@example.com", "rejected@example.com", "new@example.com")
		for i := range in.Rows {
			delete(in.Rows[i].Claims, "sub")
		}
		done := e.importFile(r, in)
		e.waitDrained(r)
		if done.LoggedIn != 3 || done.Queued != 1 {
			e.t.Errorf("%+v", done)
		}
		for _, name := range []string{"held", "sent", "rejected"} {
			if c := e.contact(name + "@example.com"); c == nil || c["firstname"] == "File" {
				e.t.Errorf("%s: %v", name, c)
			}
		}
	})
}
