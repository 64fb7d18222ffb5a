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
	"github.com/hubgate/hubgate/internal/setting"
)

func (w *world) upserts() int {
	n := 0
	for _, c := range w.fake.Calls() {
		if strings.HasSuffix(c.Path, "/batch/upsert") {
			n++
		}
	}
	return n
}

func TestAnUnchangedPersonCostsNoCallWithinTheInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, map[string]PropertyConfig{"firstname": {Claim: "given_name"}})
		w.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
		r := w.running()
		w.login(r, person1("ada@example.com"))
		w.drained(r)
		w.login(r, person1("ada@example.com"))
		w.drained(r)
		if n := w.upserts(); n != 1 || r.counted(unchanged) != 1 {
			t.Errorf("%d calls, %v unchanged", n, r.counted(unchanged))
		}
		changed := person1("ada@example.com")
		changed.Claims = map[string]any{"given_name": "Adele"}
		w.login(r, changed)
		w.drained(r)
		if got := w.contact("ada@example.com")["firstname"]; got != "Adele" {
			t.Error(got)
		}
	})
}

func TestTheTimeAndCountOfLoginsAreKeptUntilTheNextWriteAndAnOperatorNeedNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		w.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
		r := w.running()
		w.login(r, person1("ada@example.com"))
		w.drained(r)
		for range 3 {
			w.login(r, person1("ada@example.com"))
		}
		w.until("they are held", func() bool { s, _ := r.Status(t.Context()); return s.Delayed == 1 && s.Queued == 0 })
		s, err := r.Status(t.Context())
		if err != nil || s.OldestSeconds != 0 {
			t.Errorf("held entries do not make the queue old: %+v %v", s, err)
		}
		r.stop()
		r = w.running() // the next holder knows them too
		w.until("the other one works", func() bool { return w.mini.Exists("hubgate:{crm}:lease") })
		if known, err := r.Send(t.Context(), "Ada@example.com"); err != nil || !known {
			t.Fatal(known, err)
		}
		w.drained(r)
		if c := w.contact("ada@example.com"); c["portal_logins"] != "4" || w.upserts() != 2 {
			t.Errorf("%v after %d calls", c, w.upserts())
		}
		if _, err := r.Send(t.Context(), "nobody"); err != ErrEmail {
			t.Error(err)
		}
	})
}

func TestAKeptLoginGoesAtTheEndOfTheInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		w.cfg.Contacts.MinInterval = setting.Duration(4 * time.Second)
		r := w.running()
		w.login(r, person1("ada@example.com"))
		w.drained(r)
		w.login(r, person1("ada@example.com"))
		w.drained(r)
		if c := w.contact("ada@example.com"); c["portal_logins"] != "2" {
			t.Errorf("%v", c)
		}
	})
}

func TestCreateOnlyIsWrittenToNewContactsAndIfEmptyWhereNothingIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, map[string]PropertyConfig{
			"firstname":   {Claim: "given_name", Write: "if_empty"},
			"lead_source": {Constant: "portal", Write: "create_only"},
		})
		w.fake.Add(map[string]string{"email": "old@example.com", "firstname": "Better"})
		w.fake.Add(map[string]string{"email": "empty@example.com"})
		r := w.running()
		for _, email := range []string{"old@example.com", "empty@example.com", "new@example.com"} {
			w.login(r, person1(email))
		}
		w.drained(r)
		got := []map[string]string{w.contact("old@example.com"), w.contact("empty@example.com"), w.contact("new@example.com")}
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

func TestWhatIsWrittenAtCreationSurvivesALostAnswerAndAFailedSecondCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		w := newWorld(t, map[string]PropertyConfig{"lead_source": {Constant: "portal", Write: "create_only"}}, func(c *fakehubspot.Config) {
			c.Wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if !strings.HasSuffix(r.URL.Path, "/upsert") {
						next.ServeHTTP(rw, r)
						return
					}
					switch n.Add(1) {
					case 1: // applied, and the answer lost
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
		r := w.running()
		w.login(r, person1("ada@example.com"))
		w.drained(r)
		if c := w.contact("ada@example.com"); c["lead_source"] != "portal" {
			t.Errorf("%v", c)
		}
	})
}

func TestANewAddressOfTheSamePersonMovesTheirContact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, map[string]PropertyConfig{"cognito_sub": {Claim: "sub"}, "firstname": {Claim: "given_name"}})
		r := w.running()
		l := person1("ada@example.com")
		w.login(r, l)
		w.drained(r)
		l.Email = "ada@new.example"
		w.login(r, l)
		w.drained(r)
		if c := w.contact("ada@new.example"); len(w.fake.Contacts()) != 1 || c["cognito_sub"] != l.Subject {
			t.Errorf("%+v", w.fake.Contacts())
		}
		w.fake.Add(map[string]string{"email": "ada@taken.example"})
		l.Email = "ada@taken.example"
		w.login(r, l)
		w.drained(r)
		if c := w.contact("ada@taken.example"); c["firstname"] != "Ada" {
			t.Errorf("%+v", w.fake.Contacts())
		}
		if s, _ := r.Status(t.Context()); s.Dead != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTheBudgetOfThePlanIsNeverExceeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual(), func(c *fakehubspot.Config) { c.Limit = 3 })
		w.cfg.RateLimit = setting.Rate{Requests: 3, Per: setting.Duration(10 * time.Second)}
		a, b := w.replica(), w.replica()
		for i := range 350 {
			w.login([]*replica{a, b}[i%2], person1(fmt.Sprintf("p%d@example.com", i)))
		}
		r := w.running()
		w.running()
		w.drained(r)
		if w.fake.Over() != 0 || len(w.fake.Contacts()) != 350 {
			t.Errorf("%d over the limit, %d contacts", w.fake.Over(), len(w.fake.Contacts()))
		}
	})
}
