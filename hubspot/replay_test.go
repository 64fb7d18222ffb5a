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
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// rejectWhile makes HubSpot reject contacts while reject is true.
func rejectWhile(reject *atomic.Bool) option {
	return func(c *fakehubspot.Config) {
		c.Wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if reject.Load() && strings.HasSuffix(r.URL.Path, upsertPath) {
					rw.WriteHeader(http.StatusBadRequest)
					fmt.Fprint(rw, `{"status":"error","category":"VALIDATION_ERROR","message":"company is required"}`)
					return
				}
				next.ServeHTTP(rw, r)
			})
		}
	}
}

func loginNamed(email, name string) outbox.Login {
	l := testLogin(email)
	l.Claims = map[string]any{"given_name": name}
	return l
}

func TestReplayDoesNotOverwriteNewerLogin(t *testing.T) {
	t.Parallel()
	for name, newer := range map[string]func(e *env, r *replica){
		"sent":    func(e *env, r *replica) { e.waitDrained(r) },
		"delayed": func(e *env, r *replica) { time.Sleep(5 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var refuse atomic.Bool
				refuse.Store(true)
				e := newEnv(t, usualProperties(), rejectWhile(&refuse))
				r := e.startReplica()
				e.enqueue(r, loginNamed("ada@example.com", "Old"))
				e.waitDrained(r)
				refuse.Store(false)
				if name == "delayed" {
					e.fake.Next(fakehubspot.Fault{Path: upsertPath, Status: 429,
						Header: map[string]string{"Retry-After": "60"}})
				}
				e.enqueue(r, loginNamed("ada@example.com", "New"))
				newer(e, r)
				left := map[string]int{"sent": 0, "delayed": 1}[name] // a login that was sent removed the dead letter
				if n, err := r.Replay(t.Context(), nil, true); n != left || err != nil {
					t.Errorf("%d %v", n, err)
				}
				e.waitDrained(r)
				if c := e.contact("ada@example.com"); c["firstname"] != "New" || c["portal_logins"] != "2" {
					t.Errorf("%v", c)
				}
				if s, err := r.Status(t.Context()); err != nil || s.Dead != 0 {
					t.Errorf("%+v %v", s, err)
				}
			})
		})
	}
}

func TestReplayThenNewerLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var refuse atomic.Bool
		refuse.Store(true)
		e := newEnv(t, usualProperties(), rejectWhile(&refuse))
		r := e.startReplica()
		e.enqueue(r, loginNamed("ada@example.com", "Old"))
		e.enqueue(r, loginNamed("bob@example.com", "Bob"))
		e.waitDrained(r)
		refuse.Store(false)
		if n, err := r.Replay(t.Context(), nil, true); n != 2 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		e.enqueue(r, loginNamed("ada@example.com", "New"))
		e.waitDrained(r)
		if ada, bob := e.contact("ada@example.com"), e.contact("bob@example.com"); ada["firstname"] != "New" ||
			ada["portal_logins"] != "2" || bob["firstname"] != "Bob" {
			t.Errorf("%v %v", ada, bob)
		}
	})
}

func TestEmailChangeWithRejectedProperty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usualProperties()
		properties["cognito_sub"] = mapping.Property{Claim: "sub"}
		properties["company"] = mapping.Property{Claim: "company"}
		e := newEnv(t, properties, func(c *fakehubspot.Config) {
			c.Wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if body := bodyOf(r); r.Method == http.MethodPatch && strings.Contains(body, "company") {
						rw.WriteHeader(http.StatusBadRequest)
						fmt.Fprint(rw, `{"status":"error","category":"VALIDATION_ERROR","message":"Property values `+
							`were not valid: [{\"isValid\":false,\"message\":\"no\",`+
							`\"error\":\"INVALID_STRING\",\"name\":\"company\"}]"}`)
						return
					}
					next.ServeHTTP(rw, r)
				})
			}
		})
		r := e.startReplica()
		for _, email := range []string{"old@example.com", "new@example.com"} {
			l := testLogin(email)
			l.Subject, l.Claims["company"] = "sub-a", "ACME"
			e.enqueue(r, l)
			e.waitDrained(r)
		}
		if c := e.contact("new@example.com"); len(e.fake.Contacts()) != 1 || c["firstname"] != "Ada" ||
			c["portal_logins"] != "2" {
			t.Errorf("%+v", e.fake.Contacts())
		}
	})
}
