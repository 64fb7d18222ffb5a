package hubspot

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/setting"
)

func (e *env) upserts() int {
	n := 0
	for _, c := range e.fake.Calls() {
		if strings.HasSuffix(c.Path, "/batch/upsert") {
			n++
		}
	}
	return n
}

func TestUnchangedPersonNeedsNoCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, map[string]mapping.Property{"firstname": {Claim: "given_name"}})
		e.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		if n := e.upserts(); n != 1 || r.count(unchanged) != 1 {
			t.Errorf("%d calls, %v unchanged", n, r.count(unchanged))
		}
		changed := testLogin("ada@example.com")
		changed.Claims = map[string]any{"given_name": "Adele"}
		e.enqueue(r, changed)
		e.waitDrained(r)
		if got := e.contact("ada@example.com")["firstname"]; got != "Adele" {
			t.Error(got)
		}
	})
}

func TestLoginValuesAreHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		for range 3 {
			e.enqueue(r, testLogin("ada@example.com"))
		}
		e.waitFor("logins are held", func() bool {
			s, _ := r.Status(t.Context())
			return s.Held == 1 && s.Queued+s.Delayed == 0
		})
		s, err := r.Status(t.Context())
		if err != nil || s.OldestSeconds != 0 {
			t.Errorf("held entries must not count for the queue's age: %+v %v", s, err)
		}
		r.stop()
		r = e.startReplica() // the next holder has them too
		e.waitFor("the other replica has the lease", func() bool { return e.mini.Exists("hubgate:{crm}:lease") })
		if known, err := r.Send(t.Context(), "Ada@example.com"); err != nil || !known {
			t.Fatal(known, err)
		}
		e.waitDrained(r)
		if c := e.contact("ada@example.com"); c["portal_logins"] != "4" || e.upserts() != 2 {
			t.Errorf("%v after %d calls", c, e.upserts())
		}
		if _, err := r.Send(t.Context(), "nobody"); err != ErrEmail {
			t.Error(err)
		}
	})
}

func TestHeldLoginIsSentAfterInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.cfg.Contacts.MinInterval = setting.Duration(4 * time.Second)
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		if c := e.contact("ada@example.com"); c["portal_logins"] != "2" {
			t.Errorf("%v", c)
		}
	})
}

func TestWriteModes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, map[string]mapping.Property{
			"firstname":   {Claim: "given_name", Write: "if_empty"},
			"lead_source": {Constant: "portal", Write: "create_only"},
		})
		e.fake.Add(map[string]string{"email": "old@example.com", "firstname": "Better"})
		e.fake.Add(map[string]string{"email": "empty@example.com"})
		r := e.startReplica()
		for _, email := range []string{"old@example.com", "empty@example.com", "new@example.com"} {
			e.enqueue(r, testLogin(email))
		}
		e.waitDrained(r)
		got := []map[string]string{e.contact("old@example.com"), e.contact("empty@example.com"),
			e.contact("new@example.com")}
		want := []map[string]string{
			{"email": "old@example.com", "firstname": "Better"},
			{"email": "empty@example.com", "firstname": "Ada"},
			{"email": "new@example.com", "firstname": "Ada", "lead_source": "portal"},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

func TestCreateOnlySurvivesFailedCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		e := newEnv(t, map[string]mapping.Property{"lead_source": {Constant: "portal", Write: "create_only"}},
			func(c *fakehubspot.Config) {
				c.Wrap = func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
						if !strings.HasSuffix(r.URL.Path, "/upsert") {
							next.ServeHTTP(rw, r)
							return
						}
						switch n.Add(1) {
						case 1: // written, but the response is lost
							next.ServeHTTP(&discard{}, r)
							panic(http.ErrAbortHandler)
						case 3: // the second call fails
							http.Error(rw, "", http.StatusServiceUnavailable)
						default:
							next.ServeHTTP(rw, r)
						}
					})
				}
			})
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		if c := e.contact("ada@example.com"); c["lead_source"] != "portal" {
			t.Errorf("%v", c)
		}
	})
}

func TestEmailChangeUpdatesContact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, map[string]mapping.Property{"cognito_sub": {Claim: "sub"}, "firstname": {Claim: "given_name"}})
		r := e.startReplica()
		l := testLogin("ada@example.com")
		e.enqueue(r, l)
		e.waitDrained(r)
		l.Email = "ada@new.example"
		e.enqueue(r, l)
		e.waitDrained(r)
		if c := e.contact("ada@new.example"); len(e.fake.Contacts()) != 1 || c["cognito_sub"] != l.Subject {
			t.Errorf("%+v", e.fake.Contacts())
		}
		e.fake.Add(map[string]string{"email": "ada@taken.example"})
		l.Email = "ada@taken.example"
		e.enqueue(r, l)
		e.waitDrained(r)
		if c := e.contact("ada@taken.example"); c["firstname"] != "Ada" {
			t.Errorf("%+v", e.fake.Contacts())
		}
		if s, _ := r.Status(t.Context()); s.Dead != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRateLimitIsNeverExceeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties(), func(c *fakehubspot.Config) { c.Limit = 3 })
		e.cfg.RateLimit = setting.Rate{Requests: 3, Per: setting.Duration(10 * time.Second)}
		a, b := e.replica(), e.replica()
		for i := range 350 {
			e.enqueue([]*replica{a, b}[i%2], testLogin(fmt.Sprintf("p%d@example.com", i)))
		}
		r := e.startReplica()
		e.startReplica()
		e.waitDrained(r)
		if e.fake.Over() != 0 || len(e.fake.Contacts()) != 350 {
			t.Errorf("%d over the limit, %d contacts", e.fake.Over(), len(e.fake.Contacts()))
		}
	})
}
