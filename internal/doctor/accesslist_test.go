package doctor

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
)

const (
	listPart = "hubspot list customers"
	listKey  = "hubspot.access.lists.customers"
)

// listed makes rules ask for the list 1234 of an account with these lists, in which forms can set tier.
func listed(lists ...fakehubspot.List) fault { return listedWith(nil, lists...) }

func listedWith(scopes []string, lists ...fakehubspot.List) fault {
	return func(d *doctor, n network) {
		inAccount(scopes, func(s *fakehubspot.Server) {
			s.Define(tierField)
			for _, l := range lists {
				s.AddList(l)
			}
		})(d, n)
		d.cfg.HubSpot.Access.Lists = map[string]access.ListID{"customers": "1234"}
	}
}

// active is an active list. Without filters it is a static one.
func active(id, name string, filters ...fakehubspot.Filter) fakehubspot.List {
	l := fakehubspot.List{ID: id, Name: name}
	if len(filters) > 0 {
		l.Filter = &fakehubspot.Branch{Kind: "OR", Branches: []fakehubspot.Branch{{Kind: "AND", Filters: filters}}}
	}
	return l
}

func byProperty(name string) fakehubspot.Filter {
	return fakehubspot.Filter{Property: name, Values: []string{"a"}}
}

func byList(id string) fakehubspot.Filter { return fakehubspot.Filter{InList: id} }

func byKind(name string) fakehubspot.Filter { return fakehubspot.Filter{Kind: name} }

var listFaults = map[string]faultCase{
	"unknown list": {listed(), listPart, setting.Failed, "no list 1234", listKey},
	"legacy id": {
		listed(fakehubspot.List{ID: "77", LegacyID: "1234"}), listPart, setting.Failed, "old API", listKey,
	},
	"deleted list": {
		listed(fakehubspot.List{ID: "1234", Name: "Customers", Deleted: true}),
		listPart, setting.Failed, `"Customers" is deleted`, listKey,
	},
	"list of companies": {
		listed(fakehubspot.List{ID: "1234", Name: "Firms", ObjectTypeID: "0-2"}),
		listPart, setting.Failed, "other objects than contacts (type 0-2)", listKey,
	},
	"list that rests on a form field": {
		listed(active("1234", "Customers", byProperty("status"), byProperty("tier"))), listPart, setting.Failed,
		"its filters use tier, which forms can set: anybody who fills in", allowFormFields,
	},
	"list that rests on what every contact has": {
		listed(active("1234", "Customers", byProperty("createdate"), byProperty("hs_object_id"))), listPart, setting.Warning,
		"its filters use createdate, hs_object_id, which HubSpot sets for every contact", "Properties",
	},
	"list that names one that rests on a form field": {
		listed(active("1234", "Customers", byList("7")), active("7", "Silver", byList("8")),
			active("8", "Gold", byProperty("tier"))),
		listPart, setting.Failed, "its filters use tier", allowFormFields,
	},
	"list of submitted forms": {
		listed(active("1234", "Customers", fakehubspot.Filter{Form: "f"})), listPart, setting.Failed,
		`list 1234 is "Customers": active; its filters use form submissions: anybody`, listsPlace,
	},
	"list of page views": {
		listed(active("1234", "Customers", byKind("PAGE_VIEW"), byKind("EVENT"))), listPart, setting.Warning,
		"any visitor can meet its filters: events, page views", listsPlace,
	},
	"list of people who lack something": {
		listed(fakehubspot.List{ID: "1234", Name: "Others", Filter: &fakehubspot.Branch{
			Kind: "NOT_ANY", Filters: []fakehubspot.Filter{byProperty("status")},
		}}),
		listPart, setting.Failed, `"Others": the filters say what members lack`, listsPlace,
	},
	"list with filters that are not known": {
		listed(active("1234", "Customers", byKind("MOON_PHASE"))), listPart, setting.Warning,
		"MOON_PHASE are not checked", listsPlace,
	},
	"list with hidden filters": {
		listed(fakehubspot.List{ID: "1234", Filter: &fakehubspot.Branch{Kind: "RESTRICTED"}}),
		listPart, setting.Warning, "RESTRICTED are not checked", listsPlace,
	},
	"list that names an unknown one": {
		listed(active("1234", "Customers", byList("9"))), listPart, setting.Warning,
		"its filters name the list 9, which cannot be read", listsPlace,
	},
	"no scope for lists": {
		listedWith(contactScopes), "hubspot scopes", setting.Failed, "lacks crm.lists.read", "Service keys",
	},
}

func TestLegacyIDGetsTheIDToWrite(t *testing.T) {
	t.Parallel()
	all, _ := accessFindings(t, listFaults["legacy id"].fault)
	if f := all[len(all)-1]; f.Cure != "write customers: 77" {
		t.Errorf("%+v", f)
	}
}

func TestListIsDescribedWithWhatItRestsOn(t *testing.T) {
	t.Parallel()
	for want, broken := range map[string]fault{
		`list 1234 is "Customers": static, filled by users, workflows and integrations`: listed(
			active("1234", "Customers")),
		`list 1234 is "Customers": active; its filters use status; uses the lists "Silver"`: listed(
			active("1234", "Customers", byList("7")), active("7", "Silver", byProperty("status"))),
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
		listed(active("1234", "Customers", byProperty("tier")))(d, n)
		d.cfg.HubSpot.Access.AllowFormFields = []string{"tier"}
	})
	if len(wrong) != 0 || !strings.Contains(all[len(all)-1].Detail, "its filters use tier, which forms can set: allow") {
		t.Errorf("%+v", all)
	}
}

// TestListsThatNameEachOtherAreReadOnce checks that the check ends.
func TestListsThatNameEachOtherAreReadOnce(t *testing.T) {
	t.Parallel()
	all, wrong := accessFindings(t,
		listed(active("1234", "A", byList("7")), active("7", "B", byList("1234"), byList("7"))))
	if len(wrong) != 0 || !strings.HasSuffix(all[1].Detail, `uses the lists "B"`) {
		t.Errorf("%+v", all)
	}
}

func TestNestedListsAreLimited(t *testing.T) {
	t.Parallel()
	lists := []fakehubspot.List{active("1234", "A", byList("1"))}
	for i := 1; i <= 2*maxNested; i++ {
		lists = append(lists, active(strconv.Itoa(i), "nested", byList(strconv.Itoa(i+1))))
	}
	_, wrong := accessFindings(t, listed(lists...))
	if len(wrong) != 1 || !strings.Contains(wrong[0].Detail, fmt.Sprintf("more than %d other lists", maxNested)) {
		t.Errorf("%+v", wrong)
	}
}

// TestListIsNotClearedWithoutDefinitions checks that no finding says that forms cannot set a property, while the
// definitions cannot be read.
func TestListIsNotClearedWithoutDefinitions(t *testing.T) {
	t.Parallel()
	all, wrong := accessFindings(t, func(d *doctor, n network) {
		listed(active("1234", "Customers", byProperty("tier")))(d, n)
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
		d.cfg.HubSpot.Access.Lists["beta"] = "5678"
	})
	if len(wrong) != 1 {
		t.Errorf("%+v", wrong)
	}
}

// TestAllowanceIsNotNeedlessWhileAListIsUnread checks that a list that cannot be read may need allow_form_fields.
func TestAllowanceIsNotNeedlessWhileAListIsUnread(t *testing.T) {
	t.Parallel()
	_, wrong := accessFindings(t, func(d *doctor, n network) {
		listFaults["deleted list"].fault(d, n)
		d.cfg.HubSpot.Access.AllowFormFields = []string{"tier"}
	})
	if len(wrong) != 1 {
		t.Errorf("%+v", wrong)
	}
}
