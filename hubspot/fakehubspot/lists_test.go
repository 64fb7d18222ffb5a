package fakehubspot

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

const membershipCall, readCall = "/crm/lists/2026-09/records/memberships/batch/read",
	"/crm/objects/2026-09/contacts/batch/read"

// listsOf returns the lists of a contact as the API shows them.
func listsOf(t *testing.T, s *Server, contact string) string {
	t.Helper()
	w := call(t, s, "POST", membershipCall, `{"inputs":[{"objectTypeId":"0-1","recordId":"`+contact+`"}]}`)
	var body struct {
		Results []struct {
			Memberships []struct{ ListID string } `json:"recordListMemberships"`
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != 200 || len(body.Results) != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var ids []string
	for _, m := range body.Results[0].Memberships {
		ids = append(ids, m.ListID)
	}
	return strings.Join(ids, " ")
}

func filtered(kind string, filters ...Filter) *Branch { return &Branch{Kind: kind, Filters: filters} }

func TestDynamicListsFollowTheirFilters(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults})
	ada := s.Add(map[string]string{"email": "ada@x.example", "member_tier": "gold", "interests": "events;products"})
	bob := s.Add(map[string]string{"email": "bob@x.example"})
	gold := Filter{Property: "member_tier", Values: []string{"gold"}}
	for id, l := range map[string]List{
		"1": {Filter: filtered("OR", gold)},
		"2": {Filter: filtered("AND", gold, Filter{Property: "city"})},
		"3": {Filter: filtered("NOT_ANY", gold)},
		"4": {Filter: &Branch{Kind: "OR", Branches: []Branch{*filtered("AND", Filter{InList: "1"}, gold)}}},
		"5": {Filter: filtered("OR", Filter{Form: "f"})},
		"6": {Filter: filtered("ASSOCIATION", gold)},
		"7": {Filter: filtered("OR", Filter{InList: "7"})},
		"8": {Filter: filtered("OR", Filter{Property: "interests", Values: []string{"products"}})},
		"9": {},
		"A": {Filter: filtered("OR", gold), Deleted: true},
		"B": {Filter: filtered("OR", gold), ObjectTypeID: "0-2"},
	} {
		l.ID = id
		s.AddList(l)
	}
	s.Join("9", bob)
	if got := listsOf(t, s, ada) + "; " + listsOf(t, s, bob); got != "1 4 8; 3 9" {
		t.Error(got)
	}
	s.Update(ada, map[string]string{"member_tier": "basic", "interests": ""})
	call(t, s, "POST", "/submissions/v3/integration/secure/submit/4711/f",
		`{"fields":[{"objectTypeId":"0-1","name":"email","value":"ada@x.example"}],"context":{}}`)
	s.Leave("9", bob)
	if got := listsOf(t, s, ada) + "; " + listsOf(t, s, bob); got != "3 5; 3" {
		t.Error(got)
	}
}

func TestReadsLagBehindChanges(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC)
	s := New(Config{FaultPercent: NoFaults, Lag: time.Second, Now: func() time.Time { return now }})
	static := s.AddList(List{Name: "static"})
	s.AddList(List{Name: "gold", Filter: filtered("OR", Filter{Property: "member_tier", Values: []string{"gold"}})})
	ada := s.Add(map[string]string{"email": "ada@x.example", "member_tier": "gold"})
	s.Join(static, ada)
	state := func() string {
		found := call(t, s, "POST", readCall, `{"inputs":[{"id":"ada@x.example"}],"idProperty":"email",`+
			`"properties":["member_tier"],"propertiesWithHistory":[]}`).Body.String()
		for _, tier := range []string{"gold", "basic"} {
			if strings.Contains(found, `"member_tier":"`+tier+`"`) {
				return tier + ": " + listsOf(t, s, ada)
			}
		}
		return "missing: " + listsOf(t, s, ada)
	}
	for i, want := range []string{"missing: ", "missing: ", "gold: 1", "gold: 1", "gold: 1 2", "gold: 1 2", "basic: 2",
		"basic: 2", "basic: "} {
		if got := state(); got != want {
			t.Errorf("after %v: %q, want %q", time.Duration(i)*time.Second/2, got, want)
		}
		if i == 4 {
			s.Update(ada, map[string]string{"member_tier": "basic"})
			s.Leave(static, ada)
		}
		now = now.Add(time.Second / 2)
	}
}

func TestBatchReadsAnswerInAnotherOrder(t *testing.T) {
	t.Parallel()
	for partial, status := range map[int]int{0: 207, 200: 200} {
		s := New(Config{FaultPercent: NoFaults, PartialStatus: partial})
		ada := s.Add(map[string]string{"email": "ada@x.example"})
		s.Merge(ada, s.Add(map[string]string{"email": "lovelace@x.example"}))
		bob := s.Add(map[string]string{"email": "bob@x.example"})
		w := call(t, s, "POST", readCall, `{"inputs":[{"id":"Lovelace@x.example"},{"id":"ada@x.example"},`+
			`{"id":"eve@x.example"},{"id":"bob@x.example"},{"id":"zoe@x.example"}],"idProperty":"email",`+
			`"properties":["email","hs_additional_emails"],"propertiesWithHistory":[]}`)
		var body struct {
			Status    string
			Results   []struct{ ID string }
			NumErrors int
			Errors    []struct {
				Category string
				Context  struct{ IDs []string }
			}
		}
		_ = json.Unmarshal(w.Body.Bytes(), &body)
		if w.Code != status || len(body.Results) != 2 || body.Results[0].ID != bob || body.Results[1].ID != ada ||
			body.NumErrors != 1 || body.Errors[0].Category != "OBJECT_NOT_FOUND" ||
			!slices.Equal(body.Errors[0].Context.IDs, []string{"eve@x.example", "zoe@x.example"}) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func TestCallsAreCountedByKind(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults, Limit: 1000})
	ada := s.Add(map[string]string{"email": "ada@x.example"})
	s.AddList(List{ID: "12"})
	for range keptCalls + 1 {
		listsOf(t, s, ada)
	}
	call(t, s, "GET", "/crm/lists/2026-09/12?includeFilters=true", "")
	call(t, s, "GET", "/crm/lists/2026-09/13", "")
	call(t, s, "GET", "/crm/objects/2026-09/contacts/ada@x.example?idProperty=email", "")
	counts := s.Counts()
	if counts["POST "+membershipCall] != keptCalls+1 || counts["GET /crm/lists/2026-09/{id}"] != 2 ||
		counts["GET /crm/objects/2026-09/contacts/{id}"] != 1 {
		t.Error(counts)
	}
}

func TestContactsPageShowsLists(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults})
	s.Join(s.AddList(List{Name: "<Customers>"}), s.Add(map[string]string{"email": "ada@x.example"}))
	page := call(t, s, "GET", "/contacts", "").Body.String()
	if !strings.Contains(page, "<td>&lt;Customers&gt;</td><td>static</td><td>ada@x.example<br></td>") {
		t.Error(page)
	}
}
