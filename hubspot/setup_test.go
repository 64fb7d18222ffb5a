package hubspot

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

func TestCreateMissingProperties(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults}))
	t.Cleanup(api.Close)
	cfg := DefaultConfig()
	cfg.APIURL, cfg.AccessToken = api.URL, "pat-na1-test"
	cfg.Contacts.Properties = map[string]PropertyConfig{
		"firstname": {Claim: "given_name"}, "subject": {Claim: "sub"}, "seen_at": {Value: "login_time"},
		"logins": {Value: "login_count"}, "hs_object_id": {Claim: "x"},
		"lifecyclestage": {Constant: "champion"}, "portal_logins": {Value: "login_time"},
		"company": {Claim: "sub"},
	}
	account, err := crm.NewAccount(cfg.CRM(), &http.Client{})
	if err != nil {
		t.Fatal(err)
	}
	check, err := CheckMapping(t.Context(), account, cfg.Contacts)
	if err != nil {
		t.Fatal(err)
	}
	want := MappingCheck{
		Missing: []crm.NewProperty{
			{Name: "logins", Label: "Logins", Type: "number", FieldType: "number"},
			{Name: "seen_at", Label: "Seen at", Type: "datetime", FieldType: "date"},
			{Name: "subject", Label: "Subject", Type: "string", FieldType: "text", Unique: true},
		},
		Unsuitable: map[string]string{
			"hs_object_id":   "HubSpot's property is read-only",
			"lifecyclestage": "the constant: not an option of the property",
			"portal_logins":  "its type is number, but login_time needs date",
		},
		Doubtful: map[string]string{
			"company": "its values are not unique, so a changed address creates a second contact",
		},
	}
	if d := cmp.Diff(want, check); d != "" {
		t.Error(d)
	}
	var created []string
	for range 2 { // the second time everything exists
		err := check.Create(t.Context(), account, func(name string) { created = append(created, name) })
		if err != nil {
			t.Fatal(err)
		}
	}
	check, err = CheckMapping(t.Context(), account, cfg.Contacts)
	if err != nil || len(check.Missing) != 0 || !check.GroupThere || len(created) != 6 {
		t.Errorf("%+v %v %v", check, err, created)
	}
}
