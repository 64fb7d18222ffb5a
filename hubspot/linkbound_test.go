package hubspot

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// withResponse answers calls whose path contains path with a status and a body.
func withResponse(path string, status int, body string) option {
	return func(c *fakehubspot.Config) {
		c.Wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.Contains(r.URL.Path, path) {
					next.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
			})
		}
	}
}

func TestLinkNeedsReadableContact(t *testing.T) {
	t.Parallel()
	contact := func(email string) option {
		return withResponse("/batch/read", http.StatusOK,
			`{"status":"COMPLETE","results":[{"id":"7","properties":{"email":`+email+`}}]}`)
	}
	for name, response := range map[string]option{
		"forbidden":     func(c *fakehubspot.Config) { c.Scopes = []string{"crm.objects.contacts.write", "forms"} },
		"not found":     withResponse("/batch/read", http.StatusOK, `{"status":"COMPLETE","results":[]}`),
		"another email": contact(`"eve@example.com"`),
		"without email": contact("null"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newLinkEnv(t, response)
				r := e.startReplica()
				e.enqueue(r, visitor("ada@example.com", utk))
				e.waitDrained(r)
				if e.contact("ada@example.com") == nil || len(e.fake.Submissions()) != 0 {
					t.Errorf("%v %v", e.fake.Contacts(), e.fake.Submissions())
				}
			})
		})
	}
}

// TestBrowserIsBoundBeforeSubmission checks that a browser is bound before its submission is made, so that it is never
// offered to a second person.
func TestBrowserIsBoundBeforeSubmission(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newLinkEnv(t, withResponse("/submissions/", http.StatusBadRequest, `{"status":"error"}`))
		r := e.startReplica()
		e.enqueue(r, visitor("ada@example.com", utk))
		e.waitDrained(r)
		bound := 0
		for _, key := range e.mini.Keys() {
			value, _ := e.mini.Get(key)
			if strings.Contains(key+value, utk) || strings.Contains(key+value, "ada@") {
				t.Errorf("unencrypted: %s %s", key, value)
			}
			if ttl := e.mini.TTL(key); strings.Contains(key, "crm}:b:") && ttl > 399*24*time.Hour &&
				ttl <= 400*24*time.Hour {
				bound++
			}
		}
		if bound != 1 {
			t.Errorf("%d browsers bound: %v", bound, e.mini.Keys())
		}
	})
}

func TestSubmissionMatchesAPI(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sent recorder
		e := newLinkEnv(t, sent.tap)
		r := e.startReplica()
		l := visitor("Ada@Example.com", utk)
		l.Claims["family_name"] = "Byron"
		e.enqueue(r, l)
		e.waitDrained(r)
		calls := sent.calls("/submissions/")
		if len(calls) != 1 {
			t.Fatal(calls)
		}
		line, body, _ := strings.Cut(calls[0], " {")
		if want := "POST /submissions/v3/integration/secure/submit/4711/" + formID; line != want {
			t.Error(line)
		}
		var got map[string]any
		if err := json.Unmarshal([]byte("{"+body), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"fields":  []any{map[string]any{"objectTypeId": "0-1", "name": "email", "value": "ada@example.com"}},
			"context": map[string]any{"hutk": utk, "pageUri": "https://www.example.com/members/", "ipAddress": "203.0.113.7"},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}
