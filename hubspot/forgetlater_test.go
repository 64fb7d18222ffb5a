package hubspot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
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
		worker := e.startReplica()
		e.waitDrained(worker)
		worker.stop()
		if len(e.fake.Contacts()) != 1 || e.contact("bob@example.com") == nil {
			t.Errorf("%+v", e.fake.Contacts())
		}
		if found := e.tracesOf("ada", e.key); len(found) > 0 {
			t.Errorf("left: %q", found)
		}
	})
}

// Earlier versions had no index, and named the person of a browser in another way.
func TestForgetFindsDataOfEarlierVersions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, newer := newFullEnv(t)
		ring, err := seal.New(e.key)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ada", "grace"} {
			owner := ring.MAC(seal.UserIndex, []byte("crm browser of\x00https://idp.example\x00sub-"+name))
			_ = e.mini.Set("hubgate:{crm}:b:0123"+name, fmt.Sprintf("%x:sent", owner[:16]))
		}
		for _, key := range e.mini.Keys() {
			if strings.HasPrefix(key, "hubgate:{crm}:e:") || strings.HasPrefix(key, "hubgate:{crm}:l:") {
				e.mini.Del(key)
			}
		}
		e.forgetUntil(newer, 0)
		if found := e.tracesOf("ada", newer, e.key); len(found) > 0 {
			t.Errorf("left: %q", found)
		}
		if !e.mini.Exists("hubgate:{crm}:b:0123grace") {
			t.Error("another person's browser is gone")
		}
	})
}

func TestShowHasEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, newer := newFullEnv(t)
		r := e.rotatedReplica(e.replica(), newer)
		p, err := r.Show(t.Context(), "Ada@example.com", nil)
		if err != nil || len(p.Queue) != 3 || len(p.Dead) != 1 || len(p.Browsers) != 1 || p.Forgotten {
			t.Errorf("%+v %v", p, err)
		}
		var names []string
		for _, last := range p.LastLogins {
			names = append(names, last.Claims["given_name"].(string)+last.Address+last.UTK)
		}
		if slices.Sort(names); !slices.Equal(names, []string{"ada 3", "ada 5"}) { // under the older and the newer key
			t.Errorf("last logins: %q", names)
		}
		logins := int64(0)
		for _, record := range p.Records {
			logins += record.Logins
			if record.ExpiresAt.Before(time.Now().Add(399 * 24 * time.Hour)) {
				t.Errorf("%+v", record)
			}
		}
		states := map[string]int{}
		for _, entry := range p.Queue {
			states[entry.State]++
		}
		if logins != 5 || states["delayed"] != 1 || p.Dead[0].Properties["firstname"] != "ada 2" {
			t.Errorf("%d logins, %v, %+v", logins, states, p.Dead)
		}
		before := e.dump(newer, e.key)
		if _, err := r.Show(t.Context(), "ada@example.com", nil); err != nil || len(e.dump(newer, e.key)) != len(before) {
			t.Errorf("show changes something: %v", err)
		}
	})
}

func TestForgetWorksWithRedis(t *testing.T) {
	t.Parallel()
	e := newRealEnv(t, startDurableRedis(t), usualProperties())
	r := e.replica()
	for i := range 3 {
		e.enqueue(r, loginOf("ada", i))
	}
	e.enqueue(r, loginOf("bob", 1))
	f, err := r.Forget(t.Context(), "ada@example.com", noSessions)
	if err != nil || f.Entries != 3 || f.Records != 1 || f.LastLogins != 1 {
		t.Errorf("%+v %v", f, err)
	}
	e.enqueue(r, loginOf("ada", 4))
	p, err := r.Show(t.Context(), "ada@example.com", nil)
	if err != nil || !p.Forgotten || len(p.Queue)+len(p.Records)+len(p.LastLogins) != 0 {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := r.Show(t.Context(), "bob@example.com", nil); err != nil || len(p.Queue) != 1 {
		t.Errorf("%+v %v", p, err)
	}
}
