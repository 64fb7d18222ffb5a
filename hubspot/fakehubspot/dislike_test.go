package fakehubspot

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const upsertCall = "/crm/objects/2026-09/contacts/batch/upsert"

// batchOf returns the body of an upsert of contacts with trace ids and these values of firstname.
func batchOf(names ...string) string {
	inputs := make([]string, len(names))
	for i, name := range names {
		inputs[i] = fmt.Sprintf(`{"id":"p%d@x.example","idProperty":"email","objectWriteTraceId":"t%d",`+
			`"properties":{"firstname":%q}}`, i, i, name)
	}
	return `{"inputs":[` + strings.Join(inputs, ",") + `]}`
}

func TestDislikeRefusesTheWholeCall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		as     Reaction
		status int
		kind   string
		want   string
	}{
		"firewall":   {Blocked, 403, "text/html; charset=UTF-8", "you have been blocked"},
		"proxy":      {TooLarge, 413, "text/html; charset=UTF-8", "Too Large"},
		"not there":  {Missing, 404, "text/html; charset=UTF-8", "Not Found"},
		"garbled":    {Garbled, 200, "text/html; charset=UTF-8", "Please wait"},
		"without":    {Rejected, 400, "application/json;charset=utf-8", "There was a problem"},
		"with name":  {RejectedByName, 400, "application/json;charset=utf-8", `"propertyName":["firstname"]`},
		"HubSpot is": {Failed, 500, "application/json;charset=utf-8", "INTERNAL_ERROR"},
	} {
		s := New(Config{FaultPercent: NoFaults})
		s.Dislike(Dislike{Text: "poison", As: c.as, Path: "/batch/upsert"})
		w := call(t, s, "POST", upsertCall, batchOf("Ada", "poisoned", "Bo"))
		if w.Code != c.status || w.Header().Get("Content-Type") != c.kind || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
		if n := len(s.Contacts()); n != 0 {
			t.Errorf("%s: %d contacts", name, n)
		}
		if w := call(t, s, "POST", upsertCall, batchOf("Ada", "Bo")); w.Code != http.StatusOK {
			t.Errorf("%s: others are refused: %d", name, w.Code)
		}
		if calls := s.Calls(); len(calls) != 2 || calls[0].Status != c.status {
			t.Errorf("%s: %+v", name, calls)
		}
	}
}

func TestFirewallAnswersBeforeHubSpot(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults, Token: "another"})
	s.Dislike(Dislike{Text: "poison", As: Blocked})
	w := call(t, s, "POST", upsertCall, batchOf("poison"))
	if w.Code != http.StatusForbidden || w.Header().Get("X-HubSpot-RateLimit-Max") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestDislikedCallGetsNoResponse(t *testing.T) {
	t.Parallel()
	for name, as := range map[string]Reaction{"cut": Cut, "stuck": Stuck} {
		t.Run(name, func(t *testing.T) {
			s := New(Config{FaultPercent: NoFaults})
			s.Dislike(Dislike{Text: "poison", As: as})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, upsertCall, strings.NewReader(batchOf("poison")))
			r.Header.Set("Authorization", "Bearer x")
			if as == Stuck { // until the client disconnects
				cancel()
			}
			defer func() {
				if recovered := recover(); recovered != http.ErrAbortHandler {
					t.Errorf("the connection is not cut: %v", recovered)
				}
			}()
			s.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}

func TestRuleOfTheAccountRejectsOneContact(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults})
	s.Define(Property{Name: "firstname", Type: "string", FieldType: "text", Refuses: "poison"})
	w := call(t, s, "POST", upsertCall, batchOf("Ada", "poison", "Bo"))
	if w.Code != http.StatusMultiStatus || !strings.Contains(w.Body.String(), `"objectWriteTraceId":["t1"]`) ||
		!strings.Contains(w.Body.String(), `"propertyName":["firstname"]`) || len(s.Contacts()) != 2 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestRequiredPropertyIsNeededAtCreation(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults})
	s.Define(Property{Name: "company", Type: "string", FieldType: "text", Required: true})
	s.Add(map[string]string{"email": "p0@x.example"})
	w := call(t, s, "POST", upsertCall, batchOf("Ada", "Bo"))
	if w.Code != http.StatusMultiStatus || !strings.Contains(w.Body.String(), `"properties":["company"]`) ||
		!strings.Contains(w.Body.String(), `"objectWriteTraceId":["t1"]`) || len(s.Contacts()) != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	single := `{"inputs":[{"id":"new@x.example","idProperty":"email","properties":{"firstname":"Ada"}}]}`
	if w := call(t, s, "POST", upsertCall, single); w.Code != http.StatusBadRequest {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestLockedContactIsNotWritten(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults})
	id := s.Add(map[string]string{"email": "p0@x.example"})
	s.Lock(id, true)
	if w := call(t, s, "POST", upsertCall, batchOf("Ada", "Bo")); w.Code != http.StatusMultiStatus ||
		!strings.Contains(w.Body.String(), "LOCKED") || len(s.Contacts()) != 2 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	patch := `{"properties":{"firstname":"Ada"}}`
	if w := call(t, s, "PATCH", "/crm/objects/2026-09/contacts/"+id, patch); w.Code != http.StatusLocked {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
