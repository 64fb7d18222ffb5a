package hubspot

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/setting"
)

func TestValidateDefaults(t *testing.T) {
	t.Parallel()
	if p := DefaultConfig().Validate(); len(p) != 0 {
		t.Errorf("%+v", p)
	}
}

// mistake is a change of the defaults that Validate reports.
type mistake struct {
	change func(*Config)
	key    string
	want   string
}

func mistakes() map[string]mistake {
	property := func(name string, p mapping.Property) func(*Config) {
		return func(c *Config) { c.Contacts.Properties = map[string]mapping.Property{name: p} }
	}
	return map[string]mistake{
		"token with a line break": {func(c *Config) { c.AccessToken = "pat-na1-x\ny" },
			"hubspot.access_token", "white space"},
		"placeholder":    {func(c *Config) { c.AccessToken = "REPLACE_TOKEN" }, "hubspot.access_token", "placeholder"},
		"negative HubID": {func(c *Config) { c.HubID = -1 }, "hubspot.hub_id", "not a HubID"},
		"http API":       {func(c *Config) { c.APIURL = "http://api.hubapi.com" }, "hubspot.api_url", "unencrypted"},
		"API with a path": {func(c *Config) { c.APIURL = "https://api.hubapi.com/crm" },
			"hubspot.api_url", "more than scheme"},
		"no API":             {func(c *Config) { c.APIURL = "" }, "hubspot.api_url", "not a URL"},
		"API without scheme": {func(c *Config) { c.APIURL = "api.hubapi.com" }, "hubspot.api_url", "not a URL"},
		"month 13":           {func(c *Config) { c.APIVersion = "2026-13" }, "hubspot.api_version", "not a dated"},
		"v3":                 {func(c *Config) { c.APIVersion = "v3" }, "hubspot.api_version", "not a dated"},
		"beta":               {func(c *Config) { c.APIVersion = "2026-09-beta" }, "hubspot.api_version", "not a dated"},
		"no limit":           {func(c *Config) { c.RateLimit = setting.Rate{} }, "hubspot.rate_limit", "must not be none"},
		"no calls":           {func(c *Config) { c.RateLimit.Requests = 0 }, "hubspot.rate_limit.requests", "at least 1"},
		"negative calls": {func(c *Config) { c.RateLimit.Requests = -5 },
			"hubspot.rate_limit.requests", "at least 1"},
		"no window": {func(c *Config) { c.RateLimit.Per = 0 }, "hubspot.rate_limit.per", "out of range"},
		"more than any plan": {func(c *Config) { c.RateLimit.Requests = 400 },
			"hubspot.rate_limit.requests", "largest plan"},
		"access without a token": {func(c *Config) { c.Access.Properties = []string{"tier"} },
			"hubspot.access_token", "required with hubspot.access"},
		"access with a mistake": {func(c *Config) { c.Access.MaxStale = 0 }, "hubspot.access.max_stale", "too short"},
		"negative interval": {func(c *Config) { c.Contacts.MinInterval = setting.Duration(-time.Second) },
			"hubspot.contacts.min_interval", "must not be negative"},
		"empty group": {func(c *Config) { c.Contacts.Skip.Groups = []string{"a", ""} },
			"hubspot.contacts.skip.groups[1]", "empty"},
		"an address as domain": {func(c *Config) { c.Contacts.Skip.EmailDomains = []string{"a@b.example"} },
			"hubspot.contacts.skip.email_domains[0]", "not a domain"},
		"email mapped": {property("email", mapping.Property{Claim: "email"}),
			"hubspot.contacts.properties.email", "always sent"},
		"label for name": {property("First Name", mapping.Property{Claim: "x"}),
			`hubspot.contacts.properties["First Name"]`, "internal name"},
		"digit first": {property("1st", mapping.Property{Claim: "x"}),
			"hubspot.contacts.properties.1st", "internal name"},
		"lifecycle": {property("lifecyclestage", mapping.Property{Claim: "x"}),
			"hubspot.contacts.properties.lifecyclestage", "only moves forward"},
		"no source": {property("a", mapping.Property{Write: "always"}), "hubspot.contacts.properties.a", "no source"},
		"two sources": {property("a", mapping.Property{Claim: "x", Constant: "y"}),
			"hubspot.contacts.properties.a", "more than one"},
		"value word": {property("a", mapping.Property{Value: "login_tme"}),
			"hubspot.contacts.properties.a.value", "did you mean login_time"},
		"write word": {property("a", mapping.Property{Claim: "x", Write: "create-only"}),
			"hubspot.contacts.properties.a.write", "did you mean create_only"},
		"link word": {func(c *Config) { c.Visitors.Link = "forms" }, "hubspot.visitors.link", "did you mean form"},
		"link without form": {func(c *Config) { c.Visitors.Link, c.HubID = "form", 1 },
			"hubspot.visitors.form_id", "required"},
		"link with no id": {func(c *Config) { c.Visitors.Link, c.Visitors.FormID, c.HubID = "form", "x", 1 },
			"hubspot.visitors.form_id", "not a form id"},
		"link without HubID": {func(c *Config) {
			c.Visitors.Link, c.Visitors.FormID = "form", "0a1b2c3d-1234-5678-9abc-0123456789ab"
		}, "hubspot.hub_id", "required"},
		"unencrypted form host": {func(c *Config) { c.Visitors.FormURL = "http://forms.example" },
			"hubspot.visitors.form_url", "unencrypted"},
	}
}

func TestValidateReportsMistakes(t *testing.T) {
	t.Parallel()
	for name, c := range mistakes() {
		cfg := DefaultConfig()
		c.change(&cfg)
		problems := cfg.Validate()
		if len(problems) != 1 || problems[0].Key != c.key || !strings.Contains(problems[0].Text, c.want) ||
			problems[0].Cure == "" {
			t.Errorf("%s: %+v", name, problems)
		}
	}
}

func TestLifecycleStageOfNewContactsNeedsNoWarning(t *testing.T) {
	t.Parallel()
	for write, warnings := range map[string]int{"": 1, "always": 1, "if_empty": 1, "create_only": 0} {
		c := DefaultConfig()
		c.Contacts.Properties = map[string]mapping.Property{"lifecyclestage": {Claim: "stage", Write: write}}
		if p := c.Validate(); len(p) != warnings {
			t.Errorf("%q: %+v", write, p)
		}
	}
}

func TestValidateAcceptsLoopbackAndPropertyForms(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.APIURL, cfg.Visitors.FormURL, cfg.APIVersion = "http://127.0.0.1:8082", "http://[::1]:1", "2027-03"
	cfg.Contacts.Properties = map[string]mapping.Property{
		"a": {Claim: "custom:tier"}, "b": {Value: "first_page", Write: "create_only"},
		"c": {Constant: "x", Write: "if_empty"}, "hs_language": {Claim: "locale"},
		// Which properties are read-only is in the account's schema, which check --live and the worker read.
		"associatedcompanyid": {Claim: "custom:company"}, "hs_buying_role": {Claim: "x"}, "createdate": {Claim: "x"},
	}
	if d := cmp.Diff(0, len(cfg.Validate())); d != "" {
		t.Errorf("%+v", cfg.Validate())
	}
}
