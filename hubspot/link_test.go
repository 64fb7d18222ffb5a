package hubspot

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
)

const (
	formID = "0a1b2c3d-1234-5678-9abc-0123456789ab"
	utk    = "0123456789abcdef0123456789abcdef"
)

func linkedWorld(t *testing.T, options ...option) *world {
	w := newWorld(t, usual(), options...)
	w.cfg.Visitors = VisitorsConfig{Link: "form", FormID: formID, FormURL: w.api.URL}
	return w
}

func visitor(email, utk string) Login {
	l := person1(email)
	l.UTK, l.Address = utk, "203.0.113.7"
	return l
}

func TestABrowserIsTiedToItsContactOnce(t *testing.T) {
	t.Parallel()
	w := linkedWorld(t)
	r := w.running()
	for range 2 {
		w.login(r, visitor("Ada@example.com", utk))
		w.drained(r)
	}
	want := []fakehubspot.Submission{{
		Form: formID, Email: "ada@example.com", UTK: utk, PageURI: "https://www.example.com/members/", Address: "203.0.113.7",
	}}
	if d := cmp.Diff(want, w.fake.Submissions()); d != "" {
		t.Error(d)
	}
	if w.contact("ada@example.com")["portal_logins"] != "2" {
		t.Error(w.contact("ada@example.com"))
	}
}

func TestABrowserStaysThePersonsWhoUsedItFirst(t *testing.T) {
	t.Parallel()
	w := linkedWorld(t)
	r := w.running()
	for _, email := range []string{"ada@example.com", "eve@example.com"} {
		w.login(r, visitor(email, utk))
		w.drained(r)
	}
	if sent := w.fake.Submissions(); len(sent) != 1 || sent[0].Email != "ada@example.com" {
		t.Errorf("%+v", sent)
	}
	if w.contact("eve@example.com") == nil {
		t.Error("the second person is no contact")
	}
}

func TestNoHistoryIsTiedWithoutEverythingThatItNeeds(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*world, *Login){
		"opted out":         func(_ *world, l *Login) { l.OptedOut = true },
		"no cookie":         func(_ *world, l *Login) { l.UTK = "" },
		"upper case":        func(_ *world, l *Login) { l.UTK = strings.ToUpper(utk) },
		"too short":         func(_ *world, l *Login) { l.UTK = utk[1:] },
		"line break":        func(_ *world, l *Login) { l.UTK = utk + "\n" },
		"e-mail unverified": func(w *world, l *Login) { w.cfg.Contacts.RequireVerifiedEmail, l.EmailVerified = false, false },
		"not wanted":        func(w *world, l *Login) { w.cfg.Visitors.Link = setting.None },
		"a further address": func(w *world, _ *Login) {
			w.fake.Add(map[string]string{"email": "main@example.com", additionalEmails: "ada@example.com"})
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := linkedWorld(t)
			l := visitor("ada@example.com", utk)
			change(w, &l)
			r := w.running()
			w.login(r, l)
			w.drained(r)
			if sent := w.fake.Submissions(); len(sent) != 0 {
				t.Errorf("%+v", sent)
			}
		})
	}
}

func TestAFormThatDoesNotWorkCostsNoContact(t *testing.T) {
	t.Parallel()
	for status, submissions := range map[int]int{http.StatusBadRequest: 0, http.StatusForbidden: 0, http.StatusNotFound: 0, http.StatusBadGateway: 1} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			var once atomic.Bool
			w := linkedWorld(t, func(c *fakehubspot.Config) {
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
			r := w.running()
			w.login(r, visitor("ada@example.com", utk))
			w.drained(r)
			s, err := r.Status(t.Context())
			if err != nil || s.Dead != 0 || len(w.fake.Submissions()) != submissions || w.contact("ada@example.com") == nil {
				t.Errorf("%+v %v %v", s, err, w.fake.Submissions())
			}
			if got := r.counted(created); got != 1 {
				t.Errorf("created %v", got)
			}
		})
	}
}

func TestAnUnchangedPersonsNewBrowserIsTiedWithoutAWrite(t *testing.T) {
	t.Parallel()
	w := linkedWorld(t)
	w.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
	w.cfg.Contacts.Properties = map[string]PropertyConfig{"firstname": {Claim: "given_name"}}
	r := w.running()
	for _, id := range []string{utk, strings.Repeat("a", 32)} {
		w.login(r, visitor("ada@example.com", id))
		w.drained(r)
	}
	if sent := w.fake.Submissions(); len(sent) != 2 || w.fake.Contacts()[0].Writes != 1 {
		t.Errorf("%+v, %d writes", sent, w.fake.Contacts()[0].Writes)
	}
}
