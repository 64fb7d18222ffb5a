package fakehubspot

import (
	"strings"
	"testing"
)

// TestServerRejectsWhatTheDescriptionDoesNotAllow has requests that HubSpot's API description forbids.
func TestServerRejectsWhatTheDescriptionDoesNotAllow(t *testing.T) {
	t.Parallel()
	const contacts, properties = "/crm/objects/2026-09/contacts", "/crm/properties/2026-09/contacts"
	one := func(values string) string {
		return `{"inputs":[{"id":"a@x.example","idProperty":"email","properties":{` + values + `}}]}`
	}
	property := func(rest string) string {
		return `{"name":"tier","label":"Tier","groupName":"portal","type":"enumeration","fieldType":"select"` + rest + `}`
	}
	for name, c := range map[string]struct {
		method, path, body string
		status             int
	}{
		"an infinite number":        {"POST", upsertCall, one(`"portal_logins":"Inf"`), 400},
		"a hexadecimal number":      {"POST", upsertCall, one(`"portal_logins":"0x10"`), 400},
		"a day that does not exist": {"POST", upsertCall, one(`"last_portal_login":"2026-02-30T10:00:00Z"`), 400},
		"a time without a zone":     {"POST", upsertCall, one(`"last_portal_login":"2026-02-03T10:00:00"`), 400},
		"an owner by name":          {"POST", upsertCall, one(`"hubspot_owner_id":"Ada"`), 400},
		"an owner by id":            {"POST", upsertCall, one(`"hubspot_owner_id":"4711"`), 200},
		"a buying role":             {"POST", upsertCall, one(`"hs_buying_role":"CHAMPION;END_USER"`), 200},
		"an address in Unicode": {"POST", upsertCall,
			`{"inputs":[{"id":"bob@m\u00fcller.example","idProperty":"email","properties":{}}]}`, 400},
		"no id":                       {"POST", upsertCall, `{"inputs":[{"idProperty":"email","properties":{}}]}`, 400},
		"no properties":               {"POST", upsertCall, `{"inputs":[{"id":"a@x.example","idProperty":"email"}]}`, 400},
		"no inputs":                   {"POST", upsertCall, `{}`, 400},
		"an update without values":    {"PATCH", contacts + "/1001", `{}`, 400},
		"a contact without links":     {"POST", contacts, `{"properties":{"email":"a@x.example"}}`, 400},
		"a contact":                   {"POST", contacts, `{"properties":{"email":"a@x.example"},"associations":[]}`, 201},
		"a version of another form":   {"GET", "/crm/properties/v4/contacts", "", 404},
		"a month without a version":   {"GET", "/crm/properties/2026-10/contacts", "", 404},
		"site pages":                  {"GET", "/cms/pages/2026-09/site-pages", "", 200},
		"site pages of 2026-03":       {"GET", "/cms/pages/2026-03/site-pages", "", 200},
		"an enumeration of nothing":   {"POST", properties, property(``), 400},
		"an option without all":       {"POST", properties, property(`,"options":[{"label":"A","value":"a"}]`), 400},
		"a member of responses":       {"POST", properties, property(`,"hubspotDefined":true`), 400},
		"a group with unknown member": {"POST", properties + "/groups", `{"name":"g","label":"G","archived":false}`, 400},
		"two options of one value": {"POST", properties, property(`,"options":[` +
			`{"label":"A","value":"a","displayOrder":0,"hidden":false},` +
			`{"label":"B","value":"a","displayOrder":1,"hidden":false}]`), 400},
		"an enumeration": {"POST", properties, property(`,"options":[` +
			`{"label":"A","value":"a","displayOrder":0,"hidden":false}]`), 201},
	} {
		s := New(Config{FaultPercent: NoFaults})
		s.Add(map[string]string{"email": "other@x.example"})
		if w := call(t, s, c.method, c.path, c.body); w.Code != c.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TestListCallsMatchTheDescription has requests about lists that HubSpot's API description forbids, and some that it
// allows.
func TestListCallsMatchTheDescription(t *testing.T) {
	t.Parallel()
	const lists = "/crm/lists/2026-09"
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"memberships": {"POST", membershipCall, `{"inputs":[{"objectTypeId":"0-1","recordId":"1001"}]}`, 200,
			`"listId":"12"`},
		"of companies": {"POST", membershipCall, `{"inputs":[{"objectTypeId":"0-2","recordId":"1001"}]}`, 207,
			"OBJECT_NOT_FOUND"},
		"of an unknown contact": {"POST", membershipCall, `{"inputs":[{"objectTypeId":"0-1","recordId":"9"}]}`, 207,
			`"ids":["9"]`},
		"without a type":     {"POST", membershipCall, `{"inputs":[{"recordId":"1001"}]}`, 400, "objectTypeId"},
		"without an id":      {"POST", membershipCall, `{"inputs":[{"objectTypeId":"0-1"}]}`, 400, "recordId"},
		"by id":              {"POST", membershipCall, `{"inputs":[{"objectTypeId":"0-1","id":"1001"}]}`, 400, "id"},
		"as a number":        {"POST", membershipCall, `{"inputs":[{"objectTypeId":"0-1","recordId":1}]}`, 400, "JSON"},
		"of no contacts":     {"POST", membershipCall, `{"inputs":[]}`, 400, "inputs"},
		"without inputs":     {"POST", membershipCall, `{}`, 400, "inputs"},
		"by v3":              {"POST", "/crm/v3/lists/records/memberships/batch/read", `{"inputs":[]}`, 404, ""},
		"a list":             {"GET", lists + "/12", "", 200, `"processingType":"DYNAMIC"`},
		"filters":            {"GET", lists + "/12?includeFilters=true", "", 200, `"filterBranchType":"OR"`},
		"a deleted list":     {"GET", lists + "/13", "", 200, `"deletedAt"`},
		"no list":            {"GET", lists + "/99", "", 404, "does not exist"},
		"legacy ids":         {"POST", lists + "/idmapping", `["7","8"]`, 200, `"missingLegacyListIds":["8"]`},
		"legacy ids by name": {"POST", lists + "/idmapping", `{"ids":["7"]}`, 400, "JSON"},
		"legacy numbers":     {"POST", lists + "/idmapping", `[7]`, 400, "JSON"},
	} {
		for _, scope := range []string{"crm.lists.read", "crm.objects.contacts.read"} {
			s := New(Config{FaultPercent: NoFaults, Scopes: []string{scope}})
			s.Add(map[string]string{"email": "ada@x.example", "member_tier": "gold"})
			s.AddList(List{ID: "12", LegacyID: "7", Filter: filtered("OR", Filter{Property: "member_tier"})})
			s.AddList(List{ID: "13", Deleted: true})
			status, want := c.status, c.want
			if scope != "crm.lists.read" && strings.HasPrefix(c.path, lists) {
				status, want = 403, `"requiredGranularScopes":["crm.lists.read"]`
			}
			w := call(t, s, c.method, c.path, c.body)
			if w.Code != status || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s with %s: %d %s", name, scope, w.Code, w.Body)
			}
			if !strings.Contains(c.path, "includeFilters") && strings.Contains(w.Body.String(), "filterBranch") {
				t.Errorf("%s: filters without being asked for", name)
			}
		}
	}
}

func TestListsCanBeForbiddenAndLarge(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults, Forbidden: []string{"/url-redirects/"},
		Pages: []Page{{ID: "1", Name: "Home", Kind: "site", Size: 1 << 20}}})
	if w := call(t, s, "GET", "/cms/url-redirects/2026-09", ""); w.Code != 403 {
		t.Errorf("redirects: %d", w.Code)
	}
	all := call(t, s, "GET", "/cms/pages/2026-09/site-pages", "")
	if all.Code != 200 || all.Body.Len() < 1<<20 {
		t.Errorf("%d, %d bytes", all.Code, all.Body.Len())
	}
	some := call(t, s, "GET", "/cms/pages/2026-09/site-pages?property=name&property=slug,url", "").Body.String()
	if strings.Contains(some, "layoutSections") || strings.Contains(some, "currentState") ||
		!strings.Contains(some, `"name":"Home"`) || !strings.Contains(some, `"id":"1"`) {
		t.Error(some)
	}
}
