package fakehubspot

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func call(t *testing.T, s *Server, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer x")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestServerMatchesHubSpot(t *testing.T) {
	t.Parallel()
	one := func(properties string) string {
		return `{"inputs":[{"id":"a@x.example","idProperty":"email","properties":` + properties + `}]}`
	}
	const upsert = "/crm/objects/2026-09/contacts/batch/upsert"
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"new contact": {"POST", upsert,
			`{"inputs":[{"id":"A@x.example","idProperty":"email","properties":{"firstname":"Ada"}}]}`, 200, `"new":true`},
		"v3 path":                {"POST", "/crm/v3/objects/contacts/batch/upsert", one(`{}`), 404, "not found"},
		"invalid without traces": {"POST", upsert, one(`{"nope":"1"}`), 400, "PROPERTY_DOESNT_EXIST"},
		"invalid with traces": {"POST", upsert,
			`{"inputs":[{"id":"a@x.example","idProperty":"email","objectWriteTraceId":"t1",` +
				`"properties":{"nope":"1"}}]}`, 207, `"objectWriteTraceId":["t1"]`},
		"duplicate id": {"POST", upsert,
			`{"inputs":[{"id":"a@x.example","idProperty":"email","properties":{}},` +
				`{"id":"A@x.example","idProperty":"email","properties":{}}]}`, 400, "Duplicate"},
		"number as value":    {"POST", upsert, one(`{"portal_logins":1}`), 400, "Invalid input JSON"},
		"unknown member":     {"POST", upsert, `{"inputs":[],"extra":1}`, 400, "extra"},
		"read-only property": {"POST", upsert, one(`{"createdate":"1"}`), 400, "READ_ONLY_VALUE"},
		"not a number":       {"POST", upsert, one(`{"portal_logins":"many"}`), 400, "INVALID_LONG"},
		"invalid option":     {"POST", upsert, one(`{"lifecyclestage":"king"}`), 400, "INVALID_OPTION"},
		"properties":         {"GET", "/crm/properties/2026-09/contacts", "", 200, `"last_portal_login"`},
		"unknown contact": {"GET", "/crm/objects/2026-09/contacts/b@x.example?idProperty=email",
			"", 404, "OBJECT_NOT_FOUND"},
		"unknown path": {"GET", "/crm/whatever", "", 404, "not found"},
		"read without history": {"POST", "/crm/objects/2026-09/contacts/batch/read",
			`{"inputs":[{"id":"1"}],"properties":[]}`, 400, "propertiesWithHistory"},
		"invalid hutk": {"POST", "/submissions/v3/integration/secure/submit/4711/f",
			`{"fields":[{"objectTypeId":"0-1","name":"email","value":"a@x.example"}],` +
				`"context":{"hutk":"0123"}}`, 400, "INVALID_HUTK"},
		"contacts page": {"GET", "/contacts", "", 200, "No contacts yet"},
		"existing property": {"POST", "/crm/properties/2026-09/contacts",
			`{"name":"email","label":"E","groupName":"portal","type":"string","fieldType":"text"}`, 409, "already exists"},
	} {
		w := call(t, New(Config{FaultPercent: NoFaults}), c.method, c.path, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults, Limit: 2})
	for i, want := range []int{200, 200, 429} {
		if w := call(t, s, "GET", "/account-info/2026-09/details", ""); w.Code != want {
			t.Errorf("call %d: %d, want %d", i, w.Code, want)
		}
	}
}

func TestWrongTokenIsRejected(t *testing.T) {
	t.Parallel()
	if w := call(t, New(Config{Token: "y", FaultPercent: NoFaults}), "GET", "/account-info/2026-09/details",
		""); w.Code != http.StatusUnauthorized {
		t.Error(w.Code, w.Body)
	}
}

func TestContactsPageEscapesHTML(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults})
	s.Add(map[string]string{"email": "Ada@x.example", "firstname": "<script>"})
	page := call(t, s, "GET", "/contacts", "").Body.String()
	if strings.Contains(page, "<script>") || !strings.Contains(page, "ada@x.example") {
		t.Error(page)
	}
}

// A visitor waits for what decides about access, so a read that failed at random would show in the demo.
func TestRandomFaultsHitOnlyWrites(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: 100})
	const contacts = "/crm/objects/2026-09/contacts"
	upsert := `{"inputs":[{"id":"a@x.example","idProperty":"email","properties":{}}]}`
	if w := call(t, s, "POST", contacts+"/batch/upsert", upsert); w.Code < 400 {
		t.Errorf("a write: %d", w.Code)
	}
	memberships := `{"inputs":[{"objectTypeId":"0-1","recordId":"1001"}]}`
	for path, body := range map[string]string{
		contacts + "/batch/read":                            `{"inputs":[],"properties":[],"propertiesWithHistory":[]}`,
		"/crm/lists/2026-09/records/memberships/batch/read": memberships,
	} {
		if w := call(t, s, "POST", path, body); w.Code >= 429 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
