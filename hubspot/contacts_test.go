package hubspot

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

func usualProperties() map[string]mapping.Property {
	return map[string]mapping.Property{
		"firstname": {Claim: "given_name"}, "last_portal_login": {Value: "login_time"},
		"portal_logins": {Value: "login_count"},
		"portal_groups": {Claim: "cognito:groups"},
	}
}

func TestLoginBecomesContact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.startReplica()
		l := testLogin("Ada@Example.com")
		l.Groups = []string{"members", "partner"}
		e.enqueue(r, l)
		e.waitDrained(r)
		want := map[string]string{
			"email": "ada@example.com", "firstname": "Ada", "portal_groups": "members;partner", "portal_logins": "1",
			"last_portal_login": l.At.UTC().Format("2006-01-02T15:04:05.000Z"),
		}
		if d := cmp.Diff(want, e.contact("ada@example.com")); d != "" {
			t.Error(d)
		}
		if got := r.count(created); got != 1 {
			t.Errorf("created: %v", got)
		}
		sync, err := r.LastSync(t.Context(), l.Issuer, l.Subject)
		if err != nil || sync.Result != "created" || sync.ContactID == "" || sync.At.IsZero() {
			t.Errorf("%+v %v", sync, err)
		}
	})
}

func TestQueueIsSealedInRedis(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.replica()
		e.enqueue(r, testLogin("ada@example.com"))
		if dump := e.mini.Dump(); strings.Contains(dump, "ada@") || strings.Contains(dump, "Ada") {
			t.Error(dump)
		}
	})
}

func TestBatchCoalescesLogins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.replica()
		for i := range 250 {
			e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", i%125)))
		}
		r = e.startReplica()
		e.waitDrained(r)
		upserts := 0
		for _, c := range e.fake.Calls() {
			if strings.HasSuffix(c.Path, "/batch/upsert") {
				upserts++
			}
		}
		if len(e.fake.Contacts()) != 125 || upserts > 3 {
			t.Errorf("%d contacts in %d calls", len(e.fake.Contacts()), upserts)
		}
		if got := e.contact("p7@example.com")["portal_logins"]; got != "2" {
			t.Errorf("logins: %s", got)
		}
	})
}

func TestQueueSurvivesTransientErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties(), func(c *fakehubspot.Config) {
			var n atomic.Int64
			c.Wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					switch n.Add(1) {
					case 2:
						rw.Header().Set("Retry-After", "1")
						http.Error(rw, `{"status":"error","policyName":"TEN_SECONDLY_ROLLING"}`,
							http.StatusTooManyRequests)
					case 3:
						http.Error(rw, "<html>", http.StatusBadGateway)
					case 4:
						fmt.Fprint(rw, "{garbage")
					case 5: // written, but the response is lost
						next.ServeHTTP(&discard{}, r)
						panic(http.ErrAbortHandler)
					default:
						next.ServeHTTP(rw, r)
					}
				})
			}
		})
		r := e.startReplica()
		for i := range 3 {
			e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", i)))
		}
		e.waitDrained(r)
		for i := range 3 {
			if c := e.contact(fmt.Sprintf("p%d@example.com", i)); c["portal_logins"] != "1" {
				t.Errorf("%v", c)
			}
		}
		if s, _ := r.Status(t.Context()); s.Dead != 0 || r.count(retried) == 0 {
			t.Errorf("%+v, retried %v", s, r.count(retried))
		}
	})
}

type discard struct{ h http.Header }

func (d *discard) Header() http.Header {
	if d.h == nil {
		d.h = http.Header{}
	}
	return d.h
}
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

func TestRejectedTokenPausesUntilReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties(), func(c *fakehubspot.Config) { c.Token = "right" })
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitFor("calls are paused", func() bool {
			s, err := r.Status(t.Context())
			return err == nil && s.PausedUntil != nil
		})
		if ok, detail, _ := r.Health(); ok {
			t.Error(detail)
		}
		s, err := r.Status(t.Context())
		if err != nil || s.Dead != 0 || s.OldestSeconds <= 0 {
			t.Errorf("%+v %v", s, err)
		}
		e.setToken("right")
		e.waitDrained(r)
		if e.contact("ada@example.com") == nil {
			t.Error("no contact")
		}
		if ok, detail, _ := r.Health(); !ok {
			t.Error(detail)
		}
	})
}

func TestUnknownPropertyIsLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usualProperties()
		properties["nope"] = mapping.Property{Claim: "given_name"}
		e := newEnv(t, properties, func(c *fakehubspot.Config) {
			c.Wrap = func(next http.Handler) http.Handler { // an API without property definitions
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.URL.Path, "/properties/") {
						http.NotFound(rw, r)
						return
					}
					next.ServeHTTP(rw, r)
				})
			}
		})
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		if c := e.contact("ada@example.com"); c["firstname"] != "Ada" || c["nope"] != "" {
			t.Errorf("%v", c)
		}
		s, err := r.Status(t.Context())
		if err != nil || len(s.RejectedProperties) != 1 || s.RejectedProperties[0].Property != "nope" ||
			s.RejectedProperties[0].Reason != crm.NoSuchProperty.Sentence() {
			t.Errorf("%+v %v", s, err)
		}
	})
}

func TestDeadLetterIsReplayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var refuse atomic.Bool
		refuse.Store(true)
		e := newEnv(t, usualProperties(), func(c *fakehubspot.Config) {
			c.Wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if refuse.Load() && strings.HasSuffix(r.URL.Path, "/upsert") {
						rw.WriteHeader(http.StatusBadRequest)
						fmt.Fprint(rw,
							`{"status":"error","category":"VALIDATION_ERROR","message":"ada@example.com is on the blocklist"}`)
						return
					}
					next.ServeHTTP(rw, r)
				})
			}
		})
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitDrained(r)
		page, err := r.Dead(t.Context(), "", 10)
		if err != nil || len(page.Dead) != 1 {
			t.Fatalf("%+v %v", page, err)
		}
		d := page.Dead[0]
		if d.Email != "ada@example.com" || d.Reason != "400 VALIDATION_ERROR <e-mail> is on the blocklist" ||
			d.Properties["firstname"] != "Ada" || d.Attempts != 1 {
			t.Errorf("%+v", d)
		}
		refuse.Store(false)
		if n, err := r.Replay(t.Context(), []string{d.ID, "nonsense", "1-1"}, false); n != 1 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		e.waitDrained(r)
		if c := e.contact("ada@example.com"); c["portal_logins"] != "1" {
			t.Errorf("%v", c)
		}
		if s, _ := r.Status(t.Context()); s.Dead != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRejectedContactDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usualProperties()
		properties["lifecyclestage"] = mapping.Property{Claim: "stage"}
		e := newEnv(t, properties)
		e.cfg.Contacts.RequireVerifiedEmail = false
		r := e.startReplica()
		for i := range 5 {
			l := testLogin(fmt.Sprintf("p%d@example.com", i))
			if i == 3 {
				l.Email = "p3@-.example.com"
			}
			e.enqueue(r, l)
		}
		e.waitDrained(r)
		if n := len(e.fake.Contacts()); n < 4 {
			t.Errorf("%d contacts", n)
		}
	})
}

func TestEnqueueSkipsExcludedLogins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.cfg.Contacts.Skip = mapping.Skip{Groups: []string{"staff"}, EmailDomains: []string{"Corp.example"}}
		r := e.replica()
		for _, change := range []func(*outbox.Login){
			func(l *outbox.Login) { l.Email = "" },
			func(l *outbox.Login) { l.Email = "not an address" },
			func(l *outbox.Login) { l.Email = "a@b@c.example" },
			func(l *outbox.Login) { l.Email = "a\r\n@c.example" },
			func(l *outbox.Login) { l.EmailVerified = false },
			func(l *outbox.Login) { l.Groups = []string{"members", "staff"} },
			func(l *outbox.Login) { l.Email = "ada@corp.EXAMPLE" },
		} {
			l := testLogin("ada@example.com")
			change(&l)
			e.enqueue(r, l)
		}
		if s, err := r.Status(t.Context()); err != nil || s.Queued != 0 {
			t.Errorf("%+v %v", s, err)
		}
		e.enqueue(r, testLogin("ada@example.com"))
		if s, err := r.Status(t.Context()); err != nil || s.Queued != 1 {
			t.Errorf("%+v %v", s, err)
		}
	})
}
