package hubspot

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// everything is a world with a person for each way that a contact can take: new with values of its creation, known with values that
// only fill what is empty, moved to another address, with a browser to be tied, and with two logins.
func everything(t *testing.T, options ...option) *world {
	t.Helper()
	w := newWorld(t, map[string]PropertyConfig{
		"firstname": {Claim: "given_name"}, "portal_logins": {Value: "login_count"}, "cognito_sub": {Claim: "sub"},
		"lead_source": {Constant: "portal", Write: writeCreateOnly}, "city": {Constant: "Berlin", Write: writeIfEmpty},
	}, options...)
	w.cfg.Visitors = VisitorsConfig{Link: "form", FormID: formID, FormURL: w.api.URL}
	w.fake.Add(map[string]string{"email": "known@example.com", "city": "Paris"})
	w.fake.Add(map[string]string{"email": "before@example.com", "cognito_sub": "sub-after@example.com"})
	time.Sleep(time.Hour) // they are no contacts of these logins
	front := w.replica()
	for i, email := range []string{"new@example.com", "known@example.com", "after@example.com", "new@example.com"} {
		l := person1(email)
		if email == "known@example.com" {
			l.UTK = fmt.Sprintf("%032x", i)
		}
		w.login(front, l)
	}
	return w
}

// contacts are the properties by address, and how often each was written.
func (w *world) contacts() (properties map[string]map[string]string, writes map[string]int) {
	properties, writes = map[string]map[string]string{}, map[string]int{}
	for _, c := range w.fake.Contacts() {
		email := c.Properties["email"]
		properties[email], writes[email] = c.Properties, c.Writes
	}
	return properties, writes
}

// left are the keys of the queue that hold something.
func (w *world) left() (keys []string) {
	for _, name := range []string{"stream", "due", "tries", "inflight", "dead", "lease"} {
		if w.mini.Exists("hubgate:{crm}:" + name) {
			if n, err := w.mini.Stream("hubgate:{crm}:" + name); err != nil || len(n) > 0 {
				keys = append(keys, name)
			}
		}
	}
	return keys
}

func TestAReplicaMayDieBetweenAnyTwoSteps(t *testing.T) {
	t.Parallel()
	var steps int64
	var want map[string]map[string]string
	var writes map[string]int
	synctest.Test(t, func(t *testing.T) {
		w := everything(t)
		m := w.mortal(0)
		w.drained(w.replica())
		want, writes = w.contacts()
		steps = m.steps.Load()
		checkEverything(t, w, want)
	})
	for at := int64(1); at <= steps; at++ {
		t.Run(fmt.Sprintf("step %d of %d", at, steps), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := everything(t)
				m := w.mortal(at)
				w.until("it died", func() bool { return m.dead.Load() })
				r := w.running()
				w.drained(r)
				time.Sleep(3 * leaseTime)
				r.stop()
				if keys := w.left(); len(keys) > 0 {
					t.Errorf("left over: %v", keys)
				}
				got, wrote := w.contacts()
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
				for email, n := range wrote {
					if n > writes[email]+1 {
						t.Errorf("%s was written %d times, without a death it is %d", email, n, writes[email])
					}
				}
				checkEverything(t, w, want)
			})
		})
	}
}

func checkEverything(t *testing.T, w *world, want map[string]map[string]string) {
	t.Helper()
	if want["new@example.com"]["lead_source"] != "portal" || want["new@example.com"]["portal_logins"] != "2" || want["known@example.com"]["city"] != "Paris" ||
		want["known@example.com"]["lead_source"] != "" || want["after@example.com"]["cognito_sub"] != "sub-after@example.com" || len(want) != 3 {
		t.Errorf("%v", want)
	}
	if n := len(w.fake.Submissions()); n < 1 || n > 2 {
		t.Errorf("%d forms", n)
	}
	if w.fake.Over() != 0 {
		t.Error("over the limit")
	}
}
