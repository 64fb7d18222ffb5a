package crm

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// listOf is an answer about the list 7, with filters.
func listOf(filters string) string {
	return `{"list":{"listId":"7","listVersion":1,"name":"Customers of ada@x.example","objectTypeId":"0-1",` +
		`"processingStatus":"COMPLETE","processingType":"DYNAMIC","filterBranch":` + filters + `}}`
}

func branch(kind, filters, branches string) string {
	return `{"filterBranchType":"` + kind + `","filterBranchOperator":"OR","filters":[` + filters +
		`],"filterBranches":[` + branches + `]}`
}

func TestListNamesWhatItsFiltersRestOn(t *testing.T) {
	t.Parallel()
	property := func(name string) string {
		return `{"filterType":"PROPERTY","property":"` + name + `","operation":{"operationType":"STRING","value":"x"}}`
	}
	const inList = `{"filterType":"IN_LIST","listId":"9","operator":"IN_LIST"}`
	for name, c := range map[string]struct {
		filters                    string
		properties, lists, further string
	}{
		"one property": {branch("OR", "", branch("AND", property("tier"), "")), "tier", "", ""},
		"nested": {branch("OR", property("a"), branch("NOT_ANY", property("b")+","+inList,
			branch("NOT_ALL", property("a"), ""))), "a b", "9", ""},
		"compared with another property": {branch("AND", `{"filterType":"PROPERTY","property":"a","operation":`+
			`{"comparisonPropertyName":"b"}},{"filterType":"PROPERTY","property":"a","operation":{"timePoint":`+
			`{"property":"c"},"lowerBoundTimePoint":{"property":"d"},"upperBoundTimePoint":{"property":"e"}}}`, ""),
			"a b c d e", "", ""},
		"a form": {branch("OR", `{"filterType":"FORM_SUBMISSION","operator":"FILLED_OUT"},`+property("a"), ""), "a", "",
			"FORM_SUBMISSION"},
		"people of a workflow": {branch("OR", `{"filterType":"IN_LIST","listId":"9","metadata":{"id":"4",`+
			`"inListType":"WORKFLOWS_ACTIVE"}}`, ""), "", "", "WORKFLOWS_ACTIVE"},
		"a property of companies": {branch("OR", property("a"), branch("ASSOCIATION", property("domain"), "")), "a", "",
			"ASSOCIATION"},
		"a property of events": {branch("UNIFIED_EVENTS", property("page"), ""), "", "", "UNIFIED_EVENTS"},
		"withheld":             {branch("RESTRICTED", property("a"), ""), "a", "", "RESTRICTED"},
		"unknown": {branch("OR", `{},{"filterType":"ada@x.example"},`+property("A b"), ""), "", "",
			"PROPERTY UNKNOWN"},
		"no filters": {"null", "", "", ""},
	} {
		s := &scripted{status: http.StatusOK, body: listOf(c.filters)}
		l, err := (&Account{client: s.client()}).List(t.Context(), "7")
		want := List{ID: "7", Name: "Customers of <e-mail>", ObjectTypeID: "0-1", ProcessingType: "DYNAMIC",
			Properties: strings.Fields(c.properties), Lists: strings.Fields(c.lists), Filters: strings.Fields(c.further)}
		if d := cmp.Diff(want, l, cmp.Comparer(sameWords)); d != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, d)
		}
		if len(s.sent) != 1 || s.sent[0] != "/crm/lists/2026-09/7 " {
			t.Error(s.sent)
		}
	}
}

func sameWords(a, b []string) bool { return strings.Join(a, " ") == strings.Join(b, " ") }

// A contact that was just created has no values and is in no list. Filters that it meets admit everyone who logs in.
func TestListIsOpenIfANewContactMeetsItsFilters(t *testing.T) {
	t.Parallel()
	property := func(operator string, orNoValue bool) string {
		return fmt.Sprintf(`{"filterType":"PROPERTY","property":"a","operation":{"operator":%q,`+
			`"includeObjectsWithNoValueSet":%v}}`, operator, orNoValue)
	}
	has, lacks := property("IS_ANY_OF", false), property("IS_NONE_OF", true)
	for name, c := range map[string]struct {
		filters string
		open    bool
	}{
		"has":                {branch("OR", "", branch("AND", has, "")), false},
		"lacks":              {branch("OR", "", branch("AND", lacks, "")), true},
		"unknown":            {branch("OR", "", branch("AND", property("IS_UNKNOWN", false), "")), true},
		"is not, with value": {branch("OR", "", branch("AND", property("IS_NOT_EQUAL_TO", false), "")), false},
		"has and lacks":      {branch("OR", "", branch("AND", has+","+lacks, "")), false},
		"has or lacks":       {branch("OR", "", branch("AND", has, "")+","+branch("AND", lacks, "")), true},
		"none of":            {branch("NOT_ANY", has, ""), true},
		"not none of":        {branch("AND", "", branch("NOT_ANY", lacks, "")), false},
		"not all of":         {branch("NOT_ALL", has+","+lacks, ""), true},
		"not in a list":      {branch("OR", `{"filterType":"IN_LIST","listId":"9","operator":"NOT_IN_LIST"}`, ""), true},
		"in a list":          {branch("OR", `{"filterType":"IN_LIST","listId":"9","operator":"IN_LIST"}`, ""), false},
		"form not filled in": {branch("OR", `{"filterType":"FORM_SUBMISSION","operator":"NOT_FILLED_OUT"}`, ""), true},
		"withheld":           {branch("RESTRICTED", lacks, ""), false},
		"empty":              {branch("OR", "", branch("AND", "", "")), false},
	} {
		s := &scripted{status: http.StatusOK, body: listOf(c.filters)}
		if l, err := (&Account{client: s.client()}).List(t.Context(), "7"); err != nil || l.Open != c.open {
			t.Errorf("%s: %v, %v", name, l.Open, err)
		}
	}
}

func TestUnusableListIsAnError(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{}`:                      `HubSpot's response is about the list ""`,
		`{"list":{"listId":"8"}}`: `HubSpot's response is about the list "8"`,
		`{"list":{"listId":"7"}}`: `HubSpot's response has no member "objectTypeId"`,
		listOf(`{"filters":"none"}`): `in HubSpot's response, the member "list.filterBranch.filters" must not be of ` +
			`type string`,
	} {
		s := &scripted{status: http.StatusOK, body: body}
		_, err := (&Account{client: s.client()}).List(t.Context(), "7")
		if err == nil || err.Error() != "hubspot: read list 7: "+want {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestLegacyListIsTheOneThatHubSpotNames(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"legacyListIdsToIdsMapping":[{"legacyListId":"8","listId":"80"},{"legacyListId":"7","listId":"70"}]}`: "70",
		`{"legacyListIdsToIdsMapping":[],"missingLegacyListIds":["7"]}`:                                         "",
		`{"legacyListIdsToIdsMapping":[{"legacyListId":"7","listId":"x"}]}`:                                     "",
		`{}`: "error",
	} {
		s := &scripted{status: http.StatusOK, body: body}
		id, err := (&Account{client: s.client()}).LegacyList(t.Context(), "7")
		if want == "error" && err == nil || want != "error" && (err != nil || id != want) {
			t.Errorf("%s: %q %v", body, id, err)
		}
		if len(s.sent) != 1 || s.sent[0] != `/crm/lists/2026-09/idmapping ["7"]` {
			t.Error(s.sent)
		}
	}
}
