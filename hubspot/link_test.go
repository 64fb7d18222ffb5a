package hubspot

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/setting"
)

const (
	formID = "0a1b2c3d-1234-5678-9abc-0123456789ab"
	utk    = "0123456789abcdef0123456789abcdef"
)

func newLinkEnv(t *testing.T, options ...option) *env {
	e := newEnv(t, usualProperties(), options...)
	e.cfg.Visitors = VisitorsConfig{Link: "form", FormID: formID, FormURL: e.api.URL}
	return e
}

func visitor(email, utk string) outbox.Login {
	l := testLogin(email)
	l.UTK, l.Address = utk, "203.0.113.7"
	return l
}

func TestLinkIsSubmittedOnce(t *testing.T) {
	t.Parallel()
	e := newLinkEnv(t)
	r := e.startReplica()
	for range 2 {
		e.enqueue(r, visitor("Ada@example.com", utk))
		e.waitDrained(r)
	}
	want := []fakehubspot.Submission{{
		Form: formID, Email: "ada@example.com", UTK: utk, PageURI: "https://www.example.com/members/",
		Address: "203.0.113.7",
	}}
	if d := cmp.Diff(want, e.fake.Submissions()); d != "" {
		t.Error(d)
	}
	if e.contact("ada@example.com")["portal_logins"] != "2" {
		t.Error(e.contact("ada@example.com"))
	}
}

func TestLinkKeepsFirstPerson(t *testing.T) {
	t.Parallel()
	e := newLinkEnv(t)
	r := e.startReplica()
	for _, email := range []string{"ada@example.com", "eve@example.com"} {
		e.enqueue(r, visitor(email, utk))
		e.waitDrained(r)
	}
	if sent := e.fake.Submissions(); len(sent) != 1 || sent[0].Email != "ada@example.com" {
		t.Errorf("%+v", sent)
	}
	if e.contact("eve@example.com") == nil {
		t.Error("no contact for the second person")
	}
}

func TestLinkRequirements(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*env, *outbox.Login){
		"opted out":  func(_ *env, l *outbox.Login) { l.OptedOut = true },
		"no cookie":  func(_ *env, l *outbox.Login) { l.UTK = "" },
		"upper case": func(_ *env, l *outbox.Login) { l.UTK = strings.ToUpper(utk) },
		"too short":  func(_ *env, l *outbox.Login) { l.UTK = utk[1:] },
		"line break": func(_ *env, l *outbox.Login) { l.UTK = utk + "\n" },
		"e-mail unverified": func(e *env, l *outbox.Login) {
			e.cfg.Contacts.RequireVerifiedEmail, l.EmailVerified = false, false
		},
		"link: none": func(e *env, l *outbox.Login) { e.cfg.Visitors.Link = setting.None },
		"secondary address": func(e *env, _ *outbox.Login) {
			e.fake.Add(map[string]string{"email": "main@example.com", "hs_additional_emails": "ada@example.com"})
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newLinkEnv(t)
			l := visitor("ada@example.com", utk)
			change(e, &l)
			r := e.startReplica()
			e.enqueue(r, l)
			e.waitDrained(r)
			if sent := e.fake.Submissions(); len(sent) != 0 {
				t.Errorf("%+v", sent)
			}
		})
	}
}

func TestLinkFailureKeepsContact(t *testing.T) {
	t.Parallel()
	for status, submissions := range map[int]int{
		http.StatusBadRequest: 0, http.StatusForbidden: 0, http.StatusNotFound: 0, http.StatusBadGateway: 1,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			var once atomic.Bool
			e := newLinkEnv(t, func(c *fakehubspot.Config) {
				c.Wrap = func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
						if strings.HasPrefix(r.URL.Path, "/submissions/") && once.CompareAndSwap(false, true) {
							http.Error(rw, `{"status":"error"}`, status)
							return
						}
						next.ServeHTTP(rw, r)
					})
				}
			})
			r := e.startReplica()
			e.enqueue(r, visitor("ada@example.com", utk))
			e.waitDrained(r)
			s, err := r.Status(t.Context())
			if err != nil || s.Dead != 0 || len(e.fake.Submissions()) != submissions ||
				e.contact("ada@example.com") == nil {
				t.Errorf("%+v %v %v", s, err, e.fake.Submissions())
			}
			if got := r.count(created); got != 1 {
				t.Errorf("created %v", got)
			}
		})
	}
}

func TestLinkOfUnchangedPersonNeedsNoWrite(t *testing.T) {
	t.Parallel()
	e := newLinkEnv(t)
	e.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
	e.cfg.Contacts.Properties = map[string]mapping.Property{"firstname": {Claim: "given_name"}}
	r := e.startReplica()
	for _, id := range []string{utk, strings.Repeat("a", 32)} {
		e.enqueue(r, visitor("ada@example.com", id))
		e.waitDrained(r)
	}
	if sent := e.fake.Submissions(); len(sent) != 2 || e.fake.Contacts()[0].Writes != 1 {
		t.Errorf("%+v, %d writes", sent, e.fake.Contacts()[0].Writes)
	}
}
