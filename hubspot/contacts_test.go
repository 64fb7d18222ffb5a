package hubspot

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

func usual() map[string]PropertyConfig {
	return map[string]PropertyConfig{
		"firstname": {Claim: "given_name"}, "last_portal_login": {Value: "login_time"}, "portal_logins": {Value: "login_count"},
		"portal_groups": {Claim: "cognito:groups"},
	}
}

func TestALoginBecomesAContact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		r := w.running()
		l := person1("Ada@Example.com")
		l.Groups = []string{"members", "partner"}
		w.login(r, l)
		w.drained(r)
		want := map[string]string{
			"email": "ada@example.com", "firstname": "Ada", "portal_groups": "members;partner", "portal_logins": "1",
			"last_portal_login": l.At.UTC().Format(isoMillis),
		}
		if d := cmp.Diff(want, w.contact("ada@example.com")); d != "" {
			t.Error(d)
		}
		if got := r.counted(created); got != 1 {
			t.Errorf("created: %v", got)
		}
		sync, err := r.LastSync(t.Context(), l.Issuer, l.Subject)
		if err != nil || sync.Result != "created" || sync.ContactID == "" || sync.At.IsZero() {
			t.Errorf("%+v %v", sync, err)
		}
	})
}

func TestNoAddressIsReadableInRedis(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		r := w.replica()
		w.login(r, person1("ada@example.com"))
		if dump := w.mini.Dump(); strings.Contains(dump, "ada@") || strings.Contains(dump, "Ada") {
			t.Error(dump)
		}
	})
}

func TestManyLoginsShareCallsAndOneContactHasAllItsLogins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		r := w.replica()
		for i := range 250 {
			w.login(r, person1(fmt.Sprintf("p%d@example.com", i%125)))
		}
		r = w.running()
		w.drained(r)
		upserts := 0
		for _, c := range w.fake.Calls() {
			if strings.HasSuffix(c.Path, "/batch/upsert") {
				upserts++
			}
		}
		if len(w.fake.Contacts()) != 125 || upserts > 3 {
			t.Errorf("%d contacts in %d calls", len(w.fake.Contacts()), upserts)
		}
		if got := w.contact("p7@example.com")["portal_logins"]; got != "2" {
			t.Errorf("logins: %s", got)
		}
	})
}

func TestNothingIsLostInBadWeather(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual(), func(c *fakehubspot.Config) {
			var n atomic.Int64
			c.Wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					switch n.Add(1) {
					case 2:
						rw.Header().Set("Retry-After", "1")
						http.Error(rw, `{"status":"error","policyName":"TEN_SECONDLY_ROLLING"}`, http.StatusTooManyRequests)
					case 3:
						http.Error(rw, "<html>", http.StatusBadGateway)
					case 4:
						fmt.Fprint(rw, "{garbage")
					case 5: // applied, and the answer lost
						next.ServeHTTP(&discard{}, r)
						panic(http.ErrAbortHandler)
					default:
						next.ServeHTTP(rw, r)
					}
				})
			}
		})
		r := w.running()
		for i := range 3 {
			w.login(r, person1(fmt.Sprintf("p%d@example.com", i)))
		}
		w.drained(r)
		for i := range 3 {
			if c := w.contact(fmt.Sprintf("p%d@example.com", i)); c["portal_logins"] != "1" {
				t.Errorf("%v", c)
			}
		}
		if s, _ := r.Status(t.Context()); s.Dead != 0 || r.counted(retried) == 0 {
			t.Errorf("%+v, retried %v", s, r.counted(retried))
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

func TestAWrongKeyPausesEverythingAndANewOneGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual(), func(c *fakehubspot.Config) { c.Token = "right" })
		r := w.running()
		w.login(r, person1("ada@example.com"))
		w.until("everything is paused", func() bool {
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
		w.setToken("right")
		w.drained(r)
		if w.contact("ada@example.com") == nil {
			t.Error("no contact")
		}
		if ok, detail, _ := r.Health(); !ok {
			t.Error(detail)
		}
	})
}

func TestABadPropertyIsLeftOutAndTheRestIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usual()
		properties["nope"] = PropertyConfig{Claim: "given_name"}
		w := newWorld(t, properties, func(c *fakehubspot.Config) {
			c.Wrap = func(next http.Handler) http.Handler { // an API without the properties
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.URL.Path, "/properties/") {
						http.NotFound(rw, r)
						return
					}
					next.ServeHTTP(rw, r)
				})
			}
		})
		r := w.running()
		w.login(r, person1("ada@example.com"))
		w.drained(r)
		if c := w.contact("ada@example.com"); c["firstname"] != "Ada" || c["nope"] != "" {
			t.Errorf("%v", c)
		}
		s, err := r.Status(t.Context())
		if err != nil || len(s.RejectedProperties) != 1 || s.RejectedProperties[0].Property != "nope" || s.RejectedProperties[0].Reason != "PROPERTY_DOESNT_EXIST" {
			t.Errorf("%+v %v", s, err)
		}
	})
}

func TestWhatHubSpotWillNeverTakeGoesToTheDeadLettersAndCanBeReplayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var refuse atomic.Bool
		refuse.Store(true)
		w := newWorld(t, usual(), func(c *fakehubspot.Config) {
			c.Wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if refuse.Load() && strings.HasSuffix(r.URL.Path, "/upsert") {
						rw.WriteHeader(http.StatusBadRequest)
						fmt.Fprint(rw, `{"status":"error","category":"VALIDATION_ERROR","message":"ada@example.com is on the blocklist"}`)
						return
					}
					next.ServeHTTP(rw, r)
				})
			}
		})
		r := w.running()
		w.login(r, person1("ada@example.com"))
		w.drained(r)
		page, err := r.Dead(t.Context(), "", 10)
		if err != nil || len(page.Dead) != 1 {
			t.Fatalf("%+v %v", page, err)
		}
		d := page.Dead[0]
		if d.Email != "ada@example.com" || d.Reason != "400 VALIDATION_ERROR <e-mail> is on the blocklist" || d.Properties["firstname"] != "Ada" || d.Attempts != 1 {
			t.Errorf("%+v", d)
		}
		refuse.Store(false)
		if n, err := r.Replay(t.Context(), []string{d.ID, "nonsense", "1-1"}, false); n != 1 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		w.drained(r)
		if c := w.contact("ada@example.com"); c["portal_logins"] != "1" {
			t.Errorf("%v", c)
		}
		if s, _ := r.Status(t.Context()); s.Dead != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestOneBadContactDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usual()
		properties["lifecyclestage"] = PropertyConfig{Claim: "stage"}
		w := newWorld(t, properties)
		w.cfg.Contacts.RequireVerifiedEmail = false
		r := w.running()
		for i := range 5 {
			l := person1(fmt.Sprintf("p%d@example.com", i))
			if i == 3 {
				l.Email = "p3@-.example.com"
			}
			w.login(r, l)
		}
		w.drained(r)
		if n := len(w.fake.Contacts()); n < 4 {
			t.Errorf("%d contacts", n)
		}
	})
}

func TestPeopleWhoMustNotBecomeContactsAreLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		w.cfg.Contacts.Skip = SkipConfig{Groups: []string{"staff"}, EmailDomains: []string{"Corp.example"}}
		r := w.replica()
		for _, change := range []func(*Login){
			func(l *Login) { l.Email = "" },
			func(l *Login) { l.Email = "not an address" },
			func(l *Login) { l.Email = "a@b@c.example" },
			func(l *Login) { l.Email = "a\r\n@c.example" },
			func(l *Login) { l.EmailVerified = false },
			func(l *Login) { l.Groups = []string{"members", "staff"} },
			func(l *Login) { l.Email = "ada@corp.EXAMPLE" },
		} {
			l := person1("ada@example.com")
			change(&l)
			w.login(r, l)
		}
		if s, err := r.Status(t.Context()); err != nil || s.Queued != 0 {
			t.Errorf("%+v %v", s, err)
		}
		w.login(r, person1("ada@example.com"))
		if s, err := r.Status(t.Context()); err != nil || s.Queued != 1 {
			t.Errorf("%+v %v", s, err)
		}
	})
}
