package hubspot

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// refusing is an API that takes nobody while it refuses.
func refusing(refuse *atomic.Bool) option {
	return func(c *fakehubspot.Config) {
		c.Wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if refuse.Load() && strings.HasSuffix(r.URL.Path, upsertPath) {
					rw.WriteHeader(http.StatusBadRequest)
					fmt.Fprint(rw, `{"status":"error","category":"VALIDATION_ERROR","message":"company is required"}`)
					return
				}
				next.ServeHTTP(rw, r)
			})
		}
	}
}

func named(email, name string) Login {
	l := person1(email)
	l.Claims = map[string]any{"given_name": name}
	return l
}

func TestAReplayedDeadLetterDoesNotWriteOverANewerLogin(t *testing.T) {
	t.Parallel()
	for name, newer := range map[string]func(w *world, r *replica){
		"that was sent":      func(w *world, r *replica) { w.drained(r) },
		"that is still held": func(w *world, r *replica) { time.Sleep(5 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var refuse atomic.Bool
				refuse.Store(true)
				w := newWorld(t, usual(), refusing(&refuse))
				r := w.running()
				w.login(r, named("ada@example.com", "Old"))
				w.drained(r)
				refuse.Store(false)
				if name == "that is still held" {
					w.fake.Next(fakehubspot.Fault{Path: upsertPath, Status: 429, Header: map[string]string{"Retry-After": "60"}})
				}
				w.login(r, named("ada@example.com", "New"))
				newer(w, r)
				if n, err := r.Replay(t.Context(), nil, true); n != 1 || err != nil {
					t.Errorf("%d %v", n, err)
				}
				w.drained(r)
				if c := w.contact("ada@example.com"); c["firstname"] != "New" || c["portal_logins"] != "2" {
					t.Errorf("%v", c)
				}
				if s, err := r.Status(t.Context()); err != nil || s.Dead != 0 {
					t.Errorf("%+v %v", s, err)
				}
			})
		})
	}
}

func TestAReplayedDeadLetterIsFollowedByANewerLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var refuse atomic.Bool
		refuse.Store(true)
		w := newWorld(t, usual(), refusing(&refuse))
		r := w.running()
		w.login(r, named("ada@example.com", "Old"))
		w.login(r, named("bob@example.com", "Bob"))
		w.drained(r)
		refuse.Store(false)
		if n, err := r.Replay(t.Context(), nil, true); n != 2 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		w.login(r, named("ada@example.com", "New"))
		w.drained(r)
		if ada, bob := w.contact("ada@example.com"), w.contact("bob@example.com"); ada["firstname"] != "New" || ada["portal_logins"] != "2" || bob["firstname"] != "Bob" {
			t.Errorf("%v %v", ada, bob)
		}
	})
}

func TestAPropertyThatIsRefusedWithoutBeingNamedCostsOnlyItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual(), func(c *fakehubspot.Config) {
			c.Wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					body := bodyOf(r)
					if strings.HasSuffix(r.URL.Path, upsertPath) && strings.Contains(body, "portal_logins") {
						rw.WriteHeader(http.StatusBadRequest)
						fmt.Fprint(rw, `{"status":"error","category":"VALIDATION_ERROR","message":"A rule of the account says no."}`)
						return
					}
					next.ServeHTTP(rw, r)
				})
			}
		})
		r := w.running()
		w.login(r, person1("ada@example.com"))
		w.login(r, person1("bob@example.com"))
		w.drained(r)
		for _, email := range []string{"ada@example.com", "bob@example.com"} {
			if c := w.contact(email); c["firstname"] != "Ada" || c["last_portal_login"] == "" || c["portal_logins"] != "" {
				t.Errorf("%v", c)
			}
		}
		s, err := r.Status(t.Context())
		if err != nil || s.Dead != 0 || len(s.RejectedProperties) != 1 || s.RejectedProperties[0].Property != "portal_logins" || s.RejectedProperties[0].Count != 2 {
			t.Errorf("%+v %v", s, err)
		}
	})
}

func TestAMovedContactWithARefusedPropertyIsStillOneContact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usual()
		properties["cognito_sub"] = PropertyConfig{Claim: "sub"}
		properties["company"] = PropertyConfig{Claim: "company"}
		w := newWorld(t, properties, func(c *fakehubspot.Config) {
			c.Wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if body := bodyOf(r); r.Method == http.MethodPatch && strings.Contains(body, "company") {
						rw.WriteHeader(http.StatusBadRequest)
						fmt.Fprint(rw, `{"status":"error","category":"VALIDATION_ERROR","message":"Property values were not valid: [{\"isValid\":false,\"message\":\"no\",\"error\":\"INVALID_STRING\",\"name\":\"company\"}]"}`)
						return
					}
					next.ServeHTTP(rw, r)
				})
			}
		})
		r := w.running()
		for _, email := range []string{"old@example.com", "new@example.com"} {
			l := person1(email)
			l.Subject, l.Claims["company"] = "sub-a", "ACME"
			w.login(r, l)
			w.drained(r)
		}
		if c := w.contact("new@example.com"); len(w.fake.Contacts()) != 1 || c["firstname"] != "Ada" || c["portal_logins"] != "2" {
			t.Errorf("%+v", w.fake.Contacts())
		}
	})
}
