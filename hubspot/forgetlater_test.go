package hubspot

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/seal"
)

func TestForgetWaitsForContactInFlight(t *testing.T) {
	t.Parallel()
	for name, hang := range map[string]time.Duration{"short": 3 * time.Second, "long": 20 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := make(chan struct{}, 10)
				e := newEnv(t, usualProperties(), func(c *fakehubspot.Config) {
					c.Wrap = func(next http.Handler) http.Handler {
						return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
							if strings.HasSuffix(r.URL.Path, upsertPath) {
								calls <- struct{}{}
								time.Sleep(hang)
							}
							next.ServeHTTP(rw, r)
						})
					}
				})
				r := e.startReplica()
				e.enqueue(r, loginOf("ada", 1))
				<-calls
				f, err := r.Forget(t.Context(), "ada@example.com", noSessions)
				for err == nil && f.InFlight && hang > sendingWait {
					f, err = r.Forget(t.Context(), "ada@example.com", noSessions)
				}
				if err != nil || f.InFlight || f.Records != 1 {
					t.Errorf("%+v %v", f, err)
				}
				time.Sleep(time.Minute)
				r.stop()
				if found := e.tracesOf("ada", e.key); len(found) > 0 {
					t.Errorf("left: %q", found)
				}
			})
		})
	}
}

func TestForgetEndsSessionsAfterTheMark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.replica()
		ended := 0
		f, err := r.Forget(t.Context(), "ada@example.com", Sessions{End: func(context.Context) (int, error) {
			ended++
			e.enqueue(r, loginOf("ada", 1)) // a login that comes now is not added any more
			return 2, nil
		}})
		if err != nil || ended != 1 || f.Sessions != 2 || f.Entries != 0 {
			t.Errorf("%+v %v, ended %d times", f, err, ended)
		}
		if s, err := r.Status(t.Context()); err != nil || s.Queued != 0 {
			t.Errorf("%+v %v", s, err)
		}
	})
}

func TestAllowTakesForgetBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.startReplica()
		if was, err := r.Allow(t.Context(), "ada@example.com"); was || err != nil {
			t.Errorf("nobody was forgotten: %v %v", was, err)
		}
		if _, err := r.Forget(t.Context(), "Ada@example.com", noSessions); err != nil {
			t.Fatal(err)
		}
		e.enqueue(r, loginOf("ada", 1))
		for i, want := range []bool{true, false} {
			if was, err := r.Allow(t.Context(), "ada@EXAMPLE.com"); was != want || err != nil {
				t.Errorf("time %d: %v %v", i, was, err)
			}
		}
		e.waitDrained(r)
		if len(e.fake.Contacts()) != 0 {
			t.Error("the login of a forgotten person was sent")
		}
		e.enqueue(r, loginOf("ada", 2))
		e.waitDrained(r)
		if e.contact("ada@example.com") == nil {
			t.Error("the next login was not sent")
		}
		for _, email := range []string{"", "ada", "ada@example.com, bob@example.com"} {
			_, forgot := r.Forget(t.Context(), email, noSessions)
			if _, err := r.Allow(t.Context(), email); !errors.Is(err, ErrEmail) || !errors.Is(forgot, ErrEmail) {
				t.Errorf("%q: %v %v", email, forgot, err)
			}
		}
	})
}

// An entry may be in the queue that was checked before the person was forgotten: a backfill's, or one of a replica of
// an earlier version.
func TestWorkerDropsEntriesOfForgottenPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.replica()
		e.enqueue(r, loginOf("ada", 1))
		e.enqueue(r, loginOf("bob", 1))
		if err := r.outbox.MarkForgotten(t.Context(), "ada@example.com"); err != nil {
			t.Fatal(err)
		}
		e.waitDrained(e.startReplica())
		if len(e.fake.Contacts()) != 1 || e.contact("bob@example.com") == nil {
			t.Errorf("%+v", e.fake.Contacts())
		}
	})
}

func TestNothingIsSentWithoutTheForgetKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lose func(e *env)
		cure string
	}{
		"its ring key is removed": {func(e *env) { e.key = seal.NewKey() }, "session.keys"},
		"it is deleted":           {func(e *env) { e.mini.Del("hubgate:{crm}:forget-key") }, "hubgate:{crm}:forget-key is missing"},
		"it is damaged":           {func(e *env) { _ = e.mini.Set("hubgate:{crm}:forget-key", "x") }, "session.keys"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties())
				log := &strings.Builder{}
				e.log = log
				if _, err := e.replica().Forget(t.Context(), "ada@example.com", noSessions); err != nil {
					t.Fatal(err)
				}
				kept := e.must(e.mini.Get("hubgate:{crm}:forget-key"))
				oldKey := e.key
				c.lose(e)
				r := e.startReplica()
				e.enqueue(r, loginOf("bob", 1))
				time.Sleep(time.Minute)
				if s, err := r.Status(t.Context()); err != nil || s.Queued+s.InFlight != 1 || len(e.fake.Contacts()) != 0 {
					t.Errorf("%+v %v", s, err)
				}
				if _, err := r.Forget(t.Context(), "bob@example.com", noSessions); !errors.Is(err, outbox.ErrForgetKey) {
					t.Errorf("forget: %v", err)
				}
				if err := r.deps.Ring.Set(e.key, oldKey); err != nil {
					t.Fatal(err)
				}
				_ = e.mini.Set("hubgate:{crm}:forget-key", kept)
				e.waitDrained(r)
				r.stop()
				if len(e.fake.Contacts()) != 1 || !strings.Contains(log.String(), c.cure) {
					t.Errorf("%d contacts, log: %s", len(e.fake.Contacts()), log)
				}
			})
		})
	}
}

func TestForgetKeyIsSealedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.replica()
		if _, err := r.Forget(t.Context(), "ada@example.com", noSessions); err != nil {
			t.Fatal(err)
		}
		newer := seal.NewKey()
		rotated := e.rotatedReplica(e.startReplica(), newer)
		time.Sleep(2 * housekeepingEvery)
		rotated.stop()
		e.key = newer // the older key is removed
		r = e.startReplica()
		e.enqueue(r, loginOf("ada", 1))
		e.enqueue(r, loginOf("bob", 1))
		e.waitDrained(r)
		if len(e.fake.Contacts()) != 1 || e.contact("bob@example.com") == nil {
			t.Errorf("%+v", e.fake.Contacts())
		}
	})
}
