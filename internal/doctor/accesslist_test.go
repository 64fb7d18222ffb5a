package doctor

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/internal/setting"
)

const (
	listPart = "hubspot list customers"
	listKey  = "hubspot.access.lists.customers"
)

// listed makes rules ask for the list 1234, and answers for lists by their ids. Other ids do not exist.
func listed(lists map[string]string) fault {
	return func(d *doctor, n network) {
		inAccount(nil, define(tierField))(d, n)
		d.cfg.HubSpot.Access.Lists = map[string]access.ListID{"customers": "1234"}
		rest := n["api.hubapi.com"]
		n["api.hubapi.com"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, isList := strings.CutPrefix(r.URL.Path, "/crm/lists/2026-09/")
			body, exists := lists[id]
			switch {
			case !isList:
				rest.ServeHTTP(w, r)
			case exists:
				responds(http.StatusOK, body).ServeHTTP(w, r)
			default:
				responds(http.StatusNotFound, `{"status":"error","message":"List does not exist.","category":"OBJECT_NOT_FOUND",`+
					`"correlationId":"7"}`).ServeHTTP(w, r)
			}
		})
	}
}

// list is HubSpot's answer for a list. more are further members.
func list(id, name string, more ...string) string {
	members := append([]string{
		`"listId":"` + id + `"`, `"name":"` + name + `"`, `"objectTypeId":"0-1"`, `"processingType":"DYNAMIC"`,
	}, more...)
	return `{"list":{` + strings.Join(members, ",") + `}}`
}

func filtered(filters ...string) string {
	return `"filterBranch":{"filterBranchType":"OR","filterBranches":[{"filterBranchType":"AND","filterBranches":[],` +
		`"filters":[` + strings.Join(filters, ",") + `]}],"filters":[]}`
}

func byProperty(name string) string {
	return `{"filterType":"PROPERTY","property":"` + name + `","operation":{"operator":"IS_ANY_OF","values":["a"]}}`
}

func byList(id string) string {
	return `{"filterType":"IN_LIST","listId":"` + id + `","operator":"IN_LIST"}`
}

// one is an account with the list 1234.
func one(more ...string) fault {
	return listed(map[string]string{"1234": list("1234", "Customers", more...)})
}

const legacyAnswer = `{"legacyListIdsToIdsMapping":[{"legacyListId":"1234","listId":"77"}],"missingLegacyListIds":[]}`

var listFaults = map[string]faultCase{
	"unknown list": {listed(nil), listPart, setting.Failed, "no list 1234", listKey},
	"legacy id": {
		listed(map[string]string{"idmapping": legacyAnswer}), listPart, setting.Failed, "old API", listKey,
	},
	"deleted list": {
		one(`"deletedAt":"2026-01-02T03:04:05Z"`), listPart, setting.Failed, `"Customers" is deleted`, listKey,
	},
	"list of companies": {
		listed(map[string]string{"1234": strings.Replace(list("1234", "Firms"), "0-1", "0-2", 1)}),
		listPart, setting.Failed, "other objects than contacts (type 0-2)", listKey,
	},
	"list that rests on a form field": {
		one(filtered(byProperty("status"), byProperty("tier"))), listPart, setting.Failed,
		"its filters read tier: can be a field of a form", allowFormFields,
	},
	"list that names one that rests on a form field": {
		listed(map[string]string{
			"1234": list("1234", "Customers", filtered(byList("7"))),
			"7":    list("7", "Silver", filtered(byList("8"))), "8": list("8", "Gold", filtered(byProperty("tier"))),
		}),
		listPart, setting.Failed, "its filters read tier", allowFormFields,
	},
	"list of page views": {
		one(filtered(`{"filterType":"PAGE_VIEW"}`, `{"filterType":"EVENT"}`)), listPart, setting.Warning,
		"any visitor can meet its filters: events, page views", listsPlace,
	},
	"list with filters that are not known": {
		one(filtered(`{"filterType":"MOON_PHASE"}`)), listPart, setting.Warning, "MOON_PHASE are not checked", listsPlace,
	},
	"list with hidden filters": {
		one(`"filterBranch":{"filterBranchType":"RESTRICTED","filterBranches":[],"filters":[]}`),
		listPart, setting.Warning, "RESTRICTED are not checked", listsPlace,
	},
	"list that names an unknown one": {
		one(filtered(byList("9"))), listPart, setting.Warning, "its filters name the list 9, which cannot be read",
		listsPlace,
	},
	"no scope for lists": {
		func(d *doctor, n network) {
			one()(d, n)
			serving("api.hubapi.com", "1234", responds(http.StatusForbidden, `{"status":"error","message":"no",`+
				`"category":"MISSING_SCOPES","correlationId":"7"}`))(d, n)
		},
		"hubspot scopes", setting.Failed, "lacks crm.lists.read", "Service keys",
	},
}

func TestLegacyIDGetsTheIDToWrite(t *testing.T) {
	t.Parallel()
	all, _ := accessFindings(t, listed(map[string]string{"idmapping": legacyAnswer}))
	if f := all[len(all)-1]; f.Cure != "write customers: 77" {
		t.Errorf("%+v", f)
	}
}

func TestListIsDescribedWithWhatItRestsOn(t *testing.T) {
	t.Parallel()
	static := `"processingType":"MANUAL"`
	for want, broken := range map[string]fault{
		`list 1234 is "Customers": static, filled by users, workflows and integrations`: one(static),
		`list 1234 is "Customers": active; rests on status; names the lists "Silver"`: listed(map[string]string{
			"1234": list("1234", "Customers", filtered(byList("7"))),
			"7":    list("7", "Silver", filtered(byProperty("status"))),
		}),
	} {
		all, wrong := accessFindings(t, broken)
		if len(wrong) != 0 || len(all) != 2 || all[1].Detail != want {
			t.Errorf("%+v, want %s", all, want)
		}
	}
}

func TestAllowedFormFieldOfAListIsNamed(t *testing.T) {
	t.Parallel()
	all, wrong := accessFindings(t, func(d *doctor, n network) {
		one(filtered(byProperty("tier")))(d, n)
		d.cfg.HubSpot.Access.AllowFormFields = []string{"tier"}
	})
	if len(wrong) != 0 || !strings.Contains(all[len(all)-1].Detail, "tier: can be a field of a form, which allow_form_fields") {
		t.Errorf("%+v", all)
	}
}

// Lists that name each other are read once each, and the check ends.
func TestListsThatNameEachOtherAreReadOnce(t *testing.T) {
	t.Parallel()
	all, wrong := accessFindings(t, listed(map[string]string{
		"1234": list("1234", "A", filtered(byList("7"))), "7": list("7", "B", filtered(byList("1234"), byList("7"))),
	}))
	if len(wrong) != 0 || !strings.HasSuffix(all[1].Detail, `names the lists "B"`) {
		t.Errorf("%+v", all)
	}
}

func TestNestedListsAreLimited(t *testing.T) {
	t.Parallel()
	lists := map[string]string{"1234": list("1234", "A", filtered(byList("1")))}
	for i := 1; i <= 2*maxNested; i++ {
		lists[fmt.Sprint(i)] = list(fmt.Sprint(i), "nested", filtered(byList(fmt.Sprint(i+1))))
	}
	_, wrong := accessFindings(t, listed(lists))
	if len(wrong) != 1 || !strings.Contains(wrong[0].Detail, fmt.Sprintf("more than %d other lists", maxNested)) {
		t.Errorf("%+v", wrong)
	}
}

// Without the scope for definitions it is unknown which properties forms can set: no finding says that none can.
func TestListIsNotClearedWithoutDefinitions(t *testing.T) {
	t.Parallel()
	all, wrong := accessFindings(t, func(d *doctor, n network) {
		one(filtered(byProperty("tier")))(d, n)
		serving("api.hubapi.com", "/properties/2026-09/contacts", responds(http.StatusForbidden, `{"status":"error",`+
			`"message":"no","category":"MISSING_SCOPES","correlationId":"7"}`))(d, n)
	})
	cleared := func(f setting.Finding) bool { return strings.Contains(f.Detail, "forms cannot") }
	if slices.ContainsFunc(all, cleared) || len(wrong) != 1 ||
		!strings.Contains(wrong[0].Detail, "crm.schemas.contacts.read") {
		t.Errorf("%+v\n%+v", all, wrong)
	}
}

func TestMissingScopeIsReportedOnceForAllLists(t *testing.T) {
	t.Parallel()
	_, wrong := accessFindings(t, func(d *doctor, n network) {
		listFaults["no scope for lists"].fault(d, n)
		d.cfg.HubSpot.Access.Lists["beta"] = "51234" // the path of this one ends with 1234, too
	})
	if len(wrong) != 1 {
		t.Errorf("%+v", wrong)
	}
}
