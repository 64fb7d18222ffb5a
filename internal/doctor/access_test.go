package doctor

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// asking makes rules ask for the property tier, and changes the account.
func asking(change func(*fakehubspot.Server)) fault {
	return func(d *doctor, n network) {
		d.cfg.HubSpot.Access.Properties = []string{"tier"}
		inAccount(nil, change)(d, n)
	}
}

// inAccount changes an account that has the properties tier and status, which forms cannot set. scopes nil = all.
func inAccount(scopes []string, change func(*fakehubspot.Server)) fault {
	return func(d *doctor, n network) {
		d.cfg.HubSpot.RateLimit.Requests = 1000
		account := fakehubspot.New(fakehubspot.Config{
			FaultPercent: fakehubspot.NoFaults, HubID: 4711, Token: "pat-na1-x", Scopes: scopes,
		})
		for _, name := range []string{"tier", "status"} {
			account.Define(fakehubspot.Property{Name: name, Type: "string", FieldType: "text"})
		}
		change(account)
		n["api.hubapi.com"] = account
	}
}

func define(p fakehubspot.Property) func(*fakehubspot.Server) {
	return func(s *fakehubspot.Server) { s.Define(p) }
}

func untouched(*fakehubspot.Server) {}

// tierField is a property that forms can set.
var tierField = fakehubspot.Property{Name: "tier", Type: "string", FieldType: "text", FormField: true}

// tierOptions has internal values that differ from the labels.
var tierOptions = fakehubspot.Property{
	Name: "tier", Type: "enumeration", FieldType: "select",
	Options: []fakehubspot.Option{{Label: "Gold", Value: "gold_2026"}, {Label: "Silver", Value: "silver"}},
}

// asks adds a rule that asks for a value of tier.
func asks(value string) fault {
	return func(d *doctor, n network) {
		asking(define(tierOptions))(d, n)
		d.cfg.Proxy.Rules = []rules.RuleConfig{
			{Path: setting.Words{"/gold/**"}, Claims: map[string]setting.Words{"hubspot.tier": {value}}, Line: 7},
		}
	}
}

// written makes each login write tier.
func written(from mapping.Property) fault {
	return func(d *doctor, n network) {
		asking(untouched)(d, n)
		d.cfg.HubSpot.Contacts.Properties = map[string]mapping.Property{"tier": from}
	}
}

const tierKey = "hubspot.contacts.properties.tier"

var accessFaults = map[string]faultCase{
	"unknown property": {
		func(d *doctor, n network) {
			asking(untouched)(d, n)
			d.cfg.HubSpot.Access.Properties = []string{"teir"}
		},
		accessPart, setting.Failed, "no property teir", accessProperties,
	},
	"archived property": {
		asking(define(fakehubspot.Property{Name: "tier", Type: "string", FieldType: "text", Archived: true})),
		accessPart, setting.Failed, "no property tier", accessProperties,
	},
	"contacts of unverified addresses": {
		func(d *doctor, n network) {
			asking(untouched)(d, n)
			d.cfg.HubSpot.Contacts.RequireVerifiedEmail = false
		},
		accessPart, setting.Warning, "also with require_verified_email: false; others get a 403", "Cognito console",
	},
	"property of forms": {
		asking(define(tierField)), accessPart, setting.Failed, "forms can set tier: anybody who fills in", allowFormFields,
	},
	"needless allowance": {
		func(d *doctor, n network) {
			asking(untouched)(d, n)
			d.cfg.HubSpot.Access.AllowFormFields = []string{"tier"}
		},
		accessPart, setting.Warning, "tier: no form can set it", allowFormFields,
	},
	"property of visits": {
		func(d *doctor, n network) {
			asking(define(fakehubspot.Property{Name: "hs_analytics_num_page_views", Type: "number"}))(d, n)
			d.cfg.HubSpot.Access.Properties = []string{"hs_analytics_num_page_views"}
		},
		accessPart, setting.Warning, "any visitor can change the value", "Properties",
	},
	"property that logins write": {
		written(mapping.Property{Claim: "custom:tier"}), accessPart, setting.Warning,
		"a user who can edit the claim custom:tier at the provider can enter", tierKey,
	},
	"property that logins write a constant into": {
		written(mapping.Property{Constant: "gold"}), accessPart, setting.Warning, "each login writes it", tierKey,
	},
	"property with the groups": {
		written(mapping.Property{Claim: "cognito:groups"}), accessPart, setting.Warning, "the groups of the provider",
		tierKey,
	},
	"allowance that nothing uses": {
		func(d *doctor, n network) {
			asking(define(fakehubspot.Property{Name: "status", Type: "string", FormField: true}))(d, n)
			d.cfg.HubSpot.Access.AllowFormFields = []string{"status"}
		},
		accessPart, setting.Warning, "status: no property or list of hubspot.access uses it", allowFormFields,
	},
	"allowance of an unknown property": {
		func(d *doctor, n network) {
			asking(untouched)(d, n)
			d.cfg.HubSpot.Access.AllowFormFields = []string{"teir"}
		},
		accessPart, setting.Warning, "teir: HubSpot has no such property", allowFormFields,
	},
	"label of an option":      {asks("Gold"), accessPart, setting.Warning, `tier cannot be "Gold"`, "proxy.rules, line 7"},
	"value without an option": {asks("bronze"), accessPart, setting.Warning, `tier cannot be "bronze"`, "proxy.rules"},
}

// accessFindings returns the findings about access, the failed ones and warnings of everything.
func accessFindings(t *testing.T, broken fault) (all, wrong []setting.Finding) {
	t.Helper()
	d, n := healthy(pool(t))
	broken(d, n)
	for _, f := range d.checkHubSpot(t.Context()) {
		if strings.HasPrefix(f.Part, accessPart) || strings.HasPrefix(f.Part, "hubspot list") {
			all = append(all, f)
		}
		if f.Status != setting.OK {
			wrong = append(wrong, f)
		}
	}
	return all, wrong
}

func TestAccessIsNotCheckedUnlessRulesCanAsk(t *testing.T) {
	t.Parallel()
	if all, _ := accessFindings(t, inAccount(nil, untouched)); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestPropertyThatOnlyUsersOfHubSpotSetIsFine(t *testing.T) {
	t.Parallel()
	all, wrong := accessFindings(t, asking(untouched))
	if len(wrong) != 0 || len(all) != 2 || all[1].Detail != "tier: forms cannot set it" {
		t.Errorf("%+v", all)
	}
}

func TestAllowedFormFieldIsNamed(t *testing.T) {
	t.Parallel()
	all, wrong := accessFindings(t, func(d *doctor, n network) {
		asking(define(tierField))(d, n)
		d.cfg.HubSpot.Access.AllowFormFields = []string{"tier"}
	})
	const permitted = "forms can set tier: allow_form_fields permits it"
	if len(wrong) != 0 || len(all) != 2 || !strings.Contains(all[1].Detail, permitted) {
		t.Errorf("%+v", all)
	}
}

func TestValueIsComparedAsHubSpotWritesTheType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, value, cure string }{
		{"date", "2026-02-03", ""}, {"date", "03.02.2026", "2026-02-03"}, {"date", "2026-02-30", "2026-02-03"},
		{"date", "2026-02-03T00:00:00Z", "2026-02-03"}, {"datetime", "2026-02-03T09:30:00Z", ""},
		{"datetime", "2026-02-03T09:30:00.123Z", ""}, {"datetime", "2026-02-03 09:30", "T09:30:00Z"},
		{"datetime", "2026-02-03T09:30:00+01:00", "UTC"}, {"number", "-12.5", ""}, {"number", "1,234", "1234.5"},
		{"number", "five", "1234.5"}, {"bool", "true", ""}, {"bool", "yes", "write true"}, {"string", "03.02.2026", ""},
	} {
		cure := valueCure(crm.Property{Type: c.kind}, c.value)
		if !strings.Contains(cure, c.cure) || (cure == "") != (c.cure == "") {
			t.Errorf("%s %s: %q", c.kind, c.value, cure)
		}
	}
}

func TestOptionOfAPropertyIsFine(t *testing.T) {
	t.Parallel()
	if all, wrong := accessFindings(t, asks("gold_2026")); len(wrong) != 0 {
		t.Errorf("%+v", all)
	}
}

// TestLabelOfAnOptionGetsItsInternalValue checks that the cure can be copied.
func TestLabelOfAnOptionGetsItsInternalValue(t *testing.T) {
	t.Parallel()
	_, wrong := accessFindings(t, asks("gold"))
	if len(wrong) != 1 || wrong[0].Cure != "write the internal value of the option: gold_2026" {
		t.Errorf("%+v", wrong)
	}
}

// TestDefinitionsThatFailOnceAreReported checks that the check fails while it is unknown who can change what decides.
func TestDefinitionsThatFailOnceAreReported(t *testing.T) {
	t.Parallel()
	_, wrong := accessFindings(t, func(d *doctor, n network) {
		asking(define(tierField))(d, n)
		rest, reads := n["api.hubapi.com"], 0
		n["api.hubapi.com"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/properties/2026-09/contacts") {
				if reads++; reads > 1 {
					responds(http.StatusNotFound, "").ServeHTTP(w, r)
					return
				}
			}
			rest.ServeHTTP(w, r)
		})
	})
	if len(wrong) != 1 || wrong[0].Status != setting.Failed {
		t.Errorf("%+v", wrong)
	}
}

func TestPropertyThatContactSyncDoesNotWriteIsFine(t *testing.T) {
	t.Parallel()
	_, wrong := accessFindings(t, func(d *doctor, n network) {
		written(mapping.Property{Claim: "tier"})(d, n)
		d.cfg.HubSpot.Contacts.Sync = false
	})
	if len(wrong) != 0 {
		t.Errorf("%+v", wrong)
	}
}

// TestCognitoGetsAdviceAboutVerifiedAddresses checks advice about what otherwise only a login shows: Cognito leaves
// email_verified false for users of other providers.
func TestCognitoGetsAdviceAboutVerifiedAddresses(t *testing.T) {
	t.Parallel()
	all, _ := accessFindings(t, asking(untouched))
	if f := all[0]; f.Status != setting.OK || !strings.Contains(f.Cure, "email_verified") ||
		!strings.Contains(f.Where, "Cognito") {
		t.Errorf("%+v", f)
	}
	all, _ = accessFindings(t, func(d *doctor, n network) {
		asking(untouched)(d, n)
		d.cfg.Auth.UserPool, d.cfg.Auth.Issuer = "", "https://id.example.com"
	})
	if f := all[0]; f.Status != setting.OK || f.Cure != "" {
		t.Errorf("another provider: %+v", f)
	}
}

func TestSetByVisitsKnowsWhatHubSpotCalculates(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"hs_analytics_source": true, "num_conversion_events": true, "hs_email_open": true, "hs_email_domain": false,
		"lifecyclestage": false, "tier": false, "recent_conversion_date": true, "ip_city": true, "ip_country": true,
		"hs_google_click_id": true, "hs_sales_email_last_opened": true, "hs_sales_email_last_replied": true,
		"hs_last_sales_activity_timestamp": true, "engagements_last_meeting_booked": true, "createdate": false,
	} {
		if got := setByVisits(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
