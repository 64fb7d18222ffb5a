package hubspot

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// newEveryPathEnv returns an env with a login for each path of a contact: a new one with create-only values, a known
// one with if_empty values, one with a changed address, one with a browser to link, and one with two logins.
func newEveryPathEnv(t *testing.T, options ...option) *env {
	t.Helper()
	e := newEnv(t, map[string]mapping.Property{
		"firstname": {Claim: "given_name"}, "portal_logins": {Value: "login_count"}, "cognito_sub": {Claim: "sub"},
		"lead_source": {Constant: "portal", Write: mapping.WriteCreateOnly},
		"city":        {Constant: "Berlin", Write: mapping.WriteIfEmpty},
	}, options...)
	e.cfg.Visitors = VisitorsConfig{Link: "form", FormID: formID, FormURL: e.api.URL}
	e.fake.Add(map[string]string{"email": "known@example.com", "city": "Paris"})
	e.fake.Add(map[string]string{"email": "before@example.com", "cognito_sub": "sub-after@example.com"})
	time.Sleep(time.Hour) // these contacts are older than the logins
	front := e.replica()
	for i, email := range []string{"new@example.com", "known@example.com", "after@example.com", "new@example.com"} {
		l := testLogin(email)
		if email == "known@example.com" {
			l.UTK = fmt.Sprintf("%032x", i)
		}
		e.enqueue(front, l)
	}
	return e
}

// contacts returns the properties by address, and how often each contact was written.
func (e *env) contacts() (properties map[string]map[string]string, writes map[string]int) {
	properties, writes = map[string]map[string]string{}, map[string]int{}
	for _, c := range e.fake.Contacts() {
		email := c.Properties["email"]
		properties[email], writes[email] = c.Properties, c.Writes
	}
	return properties, writes
}

// leftKeys returns the keys of the queue that are not empty.
func (e *env) leftKeys() (keys []string) {
	for _, name := range []string{"stream", "due", "held", "tries", "inflight", "dead", "lease"} {
		if e.mini.Exists("hubgate:{crm}:" + name) {
			if n, err := e.mini.Stream("hubgate:{crm}:" + name); err != nil || len(n) > 0 {
				keys = append(keys, name)
			}
		}
	}
	return keys
}

func TestReplicaCrashAtEveryStep(t *testing.T) {
	t.Parallel()
	var steps int64
	var want map[string]map[string]string
	var writes map[string]int
	synctest.Test(t, func(t *testing.T) {
		e := newEveryPathEnv(t)
		m := e.crashingReplica(0)
		e.waitDrained(e.replica())
		want, writes = e.contacts()
		steps = m.steps.Load()
		checkFinalState(t, e, want)
	})
	for at := int64(1); at <= steps; at++ {
		t.Run(fmt.Sprintf("step %d of %d", at, steps), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEveryPathEnv(t)
				m := e.crashingReplica(at)
				e.waitFor("the replica crashed", func() bool { return m.crashed.Load() })
				r := e.startReplica()
				e.waitDrained(r)
				time.Sleep(3 * outbox.LeaseTime)
				r.stop()
				if keys := e.leftKeys(); len(keys) > 0 {
					t.Errorf("left over: %v", keys)
				}
				got, wrote := e.contacts()
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
				for email, n := range wrote {
					if n > writes[email]+1 {
						t.Errorf("%s was written %d times, without a crash %d times", email, n, writes[email])
					}
				}
				checkFinalState(t, e, want)
			})
		})
	}
}

func checkFinalState(t *testing.T, e *env, want map[string]map[string]string) {
	t.Helper()
	added, known, changed := want["new@example.com"], want["known@example.com"], want["after@example.com"]
	if len(want) != 3 || added["lead_source"] != "portal" || added["portal_logins"] != "2" ||
		known["city"] != "Paris" || known["lead_source"] != "" || changed["cognito_sub"] != "sub-after@example.com" {
		t.Errorf("%v", want)
	}
	if n := len(e.fake.Submissions()); n < 1 || n > 2 {
		t.Errorf("%d forms", n)
	}
	if e.fake.Over() != 0 {
		t.Error("over the limit")
	}
}
