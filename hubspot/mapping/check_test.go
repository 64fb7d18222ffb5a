package mapping

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
)

func accountAt(t *testing.T, address string) *crm.Account {
	t.Helper()
	account, err := crm.NewAccount(crm.Config{
		APIURL: address, APIVersion: "2026-09", AccessToken: "pat-na1-test",
		RateLimit: setting.Rate{Requests: 100, Per: setting.Duration(time.Second)},
	}, &http.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// checkMapping compares a mapping with the properties of an account that has some more than usual.
func checkMapping(t *testing.T, groups []string, properties map[string]Property, more ...fakehubspot.Property) (
	check Check, again func() Check,
) {
	t.Helper()
	fake := fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults})
	for _, p := range more {
		fake.Define(p)
	}
	api := httptest.NewServer(fake)
	t.Cleanup(api.Close)
	account := accountAt(t, api.URL)
	again = func() Check {
		named := Groups{Claim: "cognito:groups", Names: groups}
		check, err := Compare(t.Context(), account, Config{Properties: properties}, named)
		if err != nil {
			t.Fatal(err)
		}
		return check
	}
	check = again()
	for range 2 { // an interrupted setup is repeated
		if err := check.Create(t.Context(), account, func(string) {}); err != nil {
			t.Fatal(err)
		}
	}
	return check, again
}

func TestMissingPropertiesAreCreatedWithTheTypeOfTheirClaim(t *testing.T) {
	t.Parallel()
	check, again := checkMapping(t, []string{"partner", "a;b", "staff"}, map[string]Property{
		"firstname": {Claim: "given_name"}, "subject": {Claim: "sub"}, "seen_at": {Value: "login_time"},
		"logins": {Value: "login_count"}, "born": {Claim: "birthdate"}, "mail_ok": {Claim: "email_verified"},
		"phone_ok": {Claim: "phone_number_verified"}, "mobile": {Claim: "phone_number"},
		"profile_of": {Claim: "updated_at"}, "circles": {Claim: "cognito:groups"}, "tier": {Claim: "custom:tier"},
		"portal": {Constant: "true"}, "entered_at": {Value: "first_page"},
	})
	yesOrNo := []crm.NewOption{{Label: "Yes", Value: "true"}, {Label: "No", Value: "false"}}
	want := []crm.NewProperty{
		{Name: "born", Label: "Born", Type: "date", FieldType: "date"},
		{Name: "circles", Label: "Circles", Type: "enumeration", FieldType: "checkbox",
			Options: []crm.NewOption{{Label: "partner", Value: "partner"}, {Label: "staff", Value: "staff"}}},
		{Name: "entered_at", Label: "Entered at", Type: "string", FieldType: "text"},
		{Name: "logins", Label: "Logins", Type: "number", FieldType: "number"},
		{Name: "mail_ok", Label: "Mail ok", Type: "bool", FieldType: "booleancheckbox", Options: yesOrNo},
		{Name: "mobile", Label: "Mobile", Type: "string", FieldType: "phonenumber"},
		{Name: "phone_ok", Label: "Phone ok", Type: "bool", FieldType: "booleancheckbox", Options: yesOrNo},
		{Name: "portal", Label: "Portal", Type: "string", FieldType: "text"},
		{Name: "profile_of", Label: "Profile of", Type: "datetime", FieldType: "date"},
		{Name: "seen_at", Label: "Seen at", Type: "datetime", FieldType: "date"},
		{Name: "subject", Label: "Subject", Type: "string", FieldType: "text", Unique: true},
		{Name: "tier", Label: "Tier", Type: "string", FieldType: "text"},
	}
	if d := cmp.Diff(want, check.Missing); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"circles": `"a;b" cannot be an option, because ";" separates options`},
		check.Doubtful); d != "" {
		t.Error(d)
	}
	if check := again(); len(check.Missing) != 0 || len(check.Unsuitable) != 0 || !check.GroupThere {
		t.Errorf("after the creation: %+v", check)
	}
}

func TestGroupsWithoutNamesAreText(t *testing.T) {
	t.Parallel()
	check, _ := checkMapping(t, nil, map[string]Property{"circles": {Claim: "cognito:groups"}})
	if p := check.Missing[0]; p.Type != "string" || len(p.Options) != 0 {
		t.Errorf("%+v", p)
	}
}

// enumeration returns a property with options.
func enumeration(name, field string, values ...string) fakehubspot.Property {
	p := fakehubspot.Property{Name: name, Type: "enumeration", FieldType: field}
	for _, v := range values {
		p.Options = append(p.Options, fakehubspot.Option{Label: v, Value: v})
	}
	return p
}

func TestExistingPropertiesThatDoNotFitAreNamed(t *testing.T) {
	t.Parallel()
	check, _ := checkMapping(t, []string{"Partner", "staff", "gold;plus"}, map[string]Property{
		"hs_object_id": {Claim: "x"}, "hs_objct_id": {Claim: "x"}, "lifecyclestage": {Constant: "wood"},
		"portal_logins": {Value: "login_time"},
		"company":       {Claim: "sub"}, "born": {Claim: "birthdate"}, "mail_ok": {Claim: "email_verified"},
		"circles": {Claim: "cognito:groups"}, "one_circle": {Claim: "cognito:groups"}, "years": {Claim: "given_name"},
		"circle_date": {Claim: "cognito:groups"}, "since": {Constant: "long ago"},
		"count": {Claim: "custom:count"}, "last_portal_login": {Claim: "auth_time"},
		"portal_groups": {Claim: "cognito:groups"},
		"phone":         {Claim: "phone_number"}, "score": {Claim: "updated_at"}, "city": {Claim: "birthdate"},
	},
		enumeration("circles", "checkbox", "partner"), enumeration("one_circle", "select", "partner", "staff"),
		fakehubspot.Property{Name: "born", Type: "number"}, fakehubspot.Property{Name: "mail_ok", Type: "date"},
		fakehubspot.Property{Name: "years", Type: "number"}, fakehubspot.Property{Name: "circle_date", Type: "date"},
		fakehubspot.Property{Name: "since", Type: "date"}, fakehubspot.Property{Name: "count", Type: "number"},
		fakehubspot.Property{Name: "score", Type: "number"},
	)
	if d := cmp.Diff(map[string]string{
		"hs_object_id":   "the property is read-only in HubSpot",
		"hs_objct_id":    "HubSpot has no such property",
		"lifecyclestage": `"wood" is not an option (subscriber, lead, customer, other)`,
		"portal_logins":  "its type is number, but login_time needs datetime",
		"born":           "its type is number, but birthdate needs date",
		"mail_ok":        "its type is date, but email_verified needs bool",
		"years":          "its type is number, but given_name needs string",
		"circle_date":    "its type is date, but cognito:groups needs enumeration",
		"since":          `"long ago" is not a date`,
	}, check.Unsuitable); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{
		"company":    "its values are not unique, so a changed address creates a second contact",
		"circles":    `"gold;plus" cannot be an option, because ";" separates options`,
		"one_circle": `"gold;plus" cannot be an option, because ";" separates options`,
	}, check.Doubtful); d != "" {
		t.Error(d)
	}
	for _, f := range check.Findings() {
		if f.Cure == "" || f.Where == "" {
			t.Errorf("no cure: %+v", f)
		}
	}
}

func TestExistingPropertyOfGroupsLacksOptions(t *testing.T) {
	t.Parallel()
	check, _ := checkMapping(t, []string{"Partner", "staff", "board"}, map[string]Property{
		"circles": {Claim: "cognito:groups"}, "one_circle": {Claim: "cognito:groups"},
	}, enumeration("circles", "checkbox", "partner"), enumeration("one_circle", "select", "partner", "staff", "board"))
	if d := cmp.Diff(map[string]string{
		"circles":    `has no option for "staff", "board", so people in these groups get it without them`,
		"one_circle": "holds one option, so only one group of a person is written",
	}, check.Doubtful); d != "" {
		t.Error(d)
	}
}

func TestRejectedPropertyDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	fake := fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults})
	fake.Define(fakehubspot.Property{Name: "old", Label: "Old", Type: "string", FieldType: "text"})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/old") { // HubSpot hides archived properties
			http.Error(w, `{"status":"error","category":"OBJECT_NOT_FOUND"}`, http.StatusNotFound)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	account := accountAt(t, api.URL)
	text := func(name, label string) crm.NewProperty {
		return crm.NewProperty{Name: name, Label: label, Type: "string", FieldType: "text"}
	}
	check := Check{Missing: []crm.NewProperty{
		text("a", "A"), text("b", ""), text("hs_c", "C"), text("old", "Old"), text("a", "A"), text("d", "D"),
	}}
	var created []string
	err := check.Create(t.Context(), account, func(name string) { created = append(created, name) })
	for _, want := range []string{"property b:", "property hs_c:", "property old: HubSpot has an archived property"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if d := cmp.Diff([]string{"a", "a", "d"}, created); d != "" {
		t.Error(d)
	}
}
