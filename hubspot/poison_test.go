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
)

// poison makes calls that contain a text fail as a whole, as a firewall or a rule of the account would.
func poison(text string, answer http.HandlerFunc) option {
	return func(c *fakehubspot.Config) {
		c.Wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if strings.Contains(bodyOf(r), text) {
					answer(rw, r)
					return
				}
				next.ServeHTTP(rw, r)
			})
		}
	}
}

func respond(status int, body string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(status)
		fmt.Fprint(rw, body)
	}
}

// poisons are whole-call failures that one contact causes, with the reason of its dead letter.
func poisons() map[string]struct {
	answer http.HandlerFunc
	reason string
} {
	type c = struct {
		answer http.HandlerFunc
		reason string
	}
	return map[string]c{
		"403 of a firewall": {respond(403, "<html>blocked"), "403"},
		"404":               {respond(404, "no such thing"), "404"},
		"500":               {respond(500, problemJSON("INTERNAL_ERROR", "")), "500 INTERNAL_ERROR no"},
		"502":               {respond(502, "<html>"), "502"},
		"lost connection":   {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "502"},
		"no answer":         {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "502"},
		"not JSON":          {respond(200, "<html>welcome"), "502"},
		"nobody mentioned":  {respond(200, `{"status":"COMPLETE","results":[]}`), "502"},
		"400 of a rule":     {respond(400, problemJSON("VALIDATION_ERROR", "")), "400 VALIDATION_ERROR no"},
		"400, required": {respond(400, problemJSON("VALIDATION_ERROR", `,"context":{"properties":["company"]}`)),
			"(required: company)"},
		"413":      {respond(413, ""), "413"},
		"422":      {respond(422, problemJSON("VALIDATION_ERROR", "")), "422"},
		"redirect": {respond(307, ""), "307"},
	}
}

func TestPoisonedContactIsIsolated(t *testing.T) {
	t.Parallel()
	for name, c := range poisons() {
		for _, value := range []string{"its address", "a value"} {
			t.Run(name+" for "+value, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					text := "p42@example.com"
					if value == "a value" {
						text = "Drop Table"
					}
					e := newEnv(t, map[string]mapping.Property{"firstname": {Claim: "given_name"}},
						poison(text, c.answer))
					r := e.replica()
					for i := range 100 {
						l := testLogin(fmt.Sprintf("p%d@example.com", i))
						if i == 42 {
							l.Claims = map[string]any{"given_name": "Drop Table"}
						}
						e.enqueue(r, l)
					}
					r = e.startReplica()
					e.waitFor("the others are written", func() bool { return len(e.fake.Contacts()) >= 99 })
					if ok, detail, _ := r.Health(); !ok {
						t.Error(detail)
					}
					e.waitDrained(r)
					dead, err := r.Dead(t.Context(), "", 10)
					if err != nil || len(dead.Dead) != 1 || dead.Dead[0].Email != "p42@example.com" ||
						!strings.Contains(dead.Dead[0].Reason, c.reason) {
						t.Errorf("%+v %v", dead, err)
					}
					if s, err := r.Status(t.Context()); err != nil || s.PausedUntil != nil ||
						len(s.RejectedProperties) != 0 {
						t.Errorf("%+v %v", s, err)
					}
				})
			})
		}
	}
}

// TestSuspectIsSentAlone checks that contacts that arrive later do not wait for one that fails again and again.
func TestSuspectIsSentAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties(), poison("bad@example.com", respond(503, "")))
		r := e.startReplica()
		e.enqueue(r, testLogin("bad@example.com"))
		time.Sleep(10 * time.Second)
		for i := range 5 {
			email := fmt.Sprintf("p%d@example.com", i)
			e.enqueue(r, testLogin(email))
			time.Sleep(10 * time.Second)
			if e.contact(email) == nil {
				t.Errorf("%s waits", email)
			}
		}
		e.waitDrained(r)
		dead, err := r.Dead(t.Context(), "", 10)
		if err != nil || len(dead.Dead) != 1 || dead.Dead[0].Attempts != maxFailedAlone {
			t.Errorf("%+v %v", dead, err)
		}
	})
}

// TestOutageIsNotBlamedOnContacts checks that nothing becomes a dead letter while HubSpot answers nothing.
func TestOutageIsNotBlamedOnContacts(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"503": respond(503, ""), "404": respond(404, ""), "403 without scopes": respond(403, "<html>"),
		"lost connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no answer":       func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var up atomic.Bool
				e := newEnv(t, usualProperties(), func(c *fakehubspot.Config) {
					c.Wrap = func(next http.Handler) http.Handler {
						return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
							if !up.Load() && strings.Contains(r.URL.Path, "/objects/") {
								answer(rw, r)
								return
							}
							next.ServeHTTP(rw, r)
						})
					}
				})
				r := e.startReplica()
				for i := range 3 {
					e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", i)))
				}
				time.Sleep(time.Hour)
				s, err := r.Status(t.Context())
				if err != nil || s.Dead != 0 || s.InFlight == 0 && s.PausedBecause == "" {
					t.Errorf("%+v %v", s, err)
				}
				if ok, detail, _ := r.Health(); ok {
					t.Error(detail)
				}
				up.Store(true)
				e.waitDrained(r)
				if n := len(e.fake.Contacts()); n != 3 {
					t.Errorf("%d contacts", n)
				}
				if ok, detail, _ := r.Health(); !ok {
					t.Error(detail)
				}
			})
		})
	}
}

func TestFailedTokenCountsAsAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties(), func(c *fakehubspot.Config) {
			c.Wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, upsertPath) {
						respond(401, problemJSON("INVALID_AUTHENTICATION", ""))(rw, r)
						return
					}
					next.ServeHTTP(rw, r)
				})
			}
		})
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitFor("calls are paused", func() bool { s, _ := r.Status(t.Context()); return s.PausedUntil != nil })
		page, err := r.Waiting(t.Context(), "", 1)
		if err != nil || len(page.Entries) != 1 || page.Entries[0].Attempts != 1 {
			t.Errorf("%+v %v", page, err)
		}
	})
}
