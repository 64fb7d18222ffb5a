package access

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/internal/setting"
)

func TestValidateAcceptsDefaultsAndFullSection(t *testing.T) {
	t.Parallel()
	full := DefaultConfig()
	full.Properties, full.AllowFormFields = []string{"member_tier", "portal_groups"}, []string{"member_tier"}
	full.Lists = map[string]ListID{"customers": "1234", "beta-2": "9007199254740993"}
	for _, c := range []Config{DefaultConfig(), full} {
		if p := c.Validate(); len(p) != 0 {
			t.Errorf("%+v: %+v", c, p)
		}
	}
	if DefaultConfig().On() || !full.On() || !(Config{Properties: []string{"a"}}).On() {
		t.Error("On is wrong")
	}
}

func TestValidateReportsMistakes(t *testing.T) {
	t.Parallel()
	lists := func(name, id string) func(*Config) {
		return func(c *Config) { c.Lists = map[string]ListID{name: ListID(id)} }
	}
	times := func(refresh, stale time.Duration) func(*Config) {
		return func(c *Config) { c.Refresh, c.MaxStale = setting.Duration(refresh), setting.Duration(stale) }
	}
	for name, m := range map[string]struct {
		change    func(*Config)
		key, want string
	}{
		"word as id":       {lists("a", "customers"), ".lists.a", "not a list id"},
		"zero as id":       {lists("a", "0"), ".lists.a", "not a list id"},
		"negative id":      {lists("a", "-5"), ".lists.a", "not a list id"},
		"fraction as id":   {lists("a", "1.5"), ".lists.a", "not a list id"},
		"hexadecimal id":   {lists("a", "0x10"), ".lists.a", "not a list id"},
		"leading zero":     {lists("a", "0123"), ".lists.a", "not a list id"},
		"spaces around id": {lists("a", " 12 "), ".lists.a", "not a list id"},
		"enormous id":      {lists("a", strings.Repeat("9", 20)), ".lists.a", "not a list id"},
		"id above 63 bits": {lists("a", "9223372036854775808"), ".lists.a", "not a list id"},
		"no id":            {lists("a", ""), ".lists.a", "missing"},
		"name with spaces": {lists("our customers", "1"), `.lists["our customers"]`, "not a valid name"},
		"number as name":   {lists("1234", "1"), ".lists.1234", "not a valid name"},
		"upper-case name":  {lists("Beta", "1"), ".lists.Beta", "not a valid name"},
		"label as property": {func(c *Config) { c.Properties = []string{"a", "Member tier"} },
			".properties[1]", "internal name"},
		"property twice": {func(c *Config) { c.Properties = []string{"a", "b", "a"} }, ".properties[2]", "twice"},
		"empty property": {func(c *Config) { c.Properties = []string{""} }, ".properties[0]", "internal name"},
		"form field twice": {func(c *Config) { c.AllowFormFields = []string{"a", "a"} },
			".allow_form_fields[1]", "twice"},
		"form field label": {func(c *Config) { c.AllowFormFields = []string{"A"} },
			".allow_form_fields[0]", "internal"},
		"refresh too short":        {times(time.Second-1, time.Hour), ".refresh", "too short"},
		"refresh negative":         {times(-time.Hour, time.Hour), ".refresh", "too short"},
		"stale too short":          {times(time.Second, time.Minute-1), ".max_stale", "too short"},
		"stale too long":           {times(time.Hour, 7*24*time.Hour+1), ".max_stale", "too long"},
		"stale from refresh":       {times(time.Hour, time.Hour-1), ".max_stale", "not longer than refresh"},
		"stale is refresh":         {times(time.Hour, time.Hour), ".max_stale", "not longer than refresh (1h)"},
		"refresh is default stale": {times(4*time.Hour, 4*time.Hour), ".refresh", "max_stale (default 4h)"},
		"refresh over default":     {times(5*time.Hour, 4*time.Hour), ".refresh", "max_stale (default 4h)"},
		"stale under default":      {times(15*time.Minute, time.Minute), ".max_stale", "refresh (default 15m)"},
		"refresh over any stale":   {times(8*24*time.Hour, 4*time.Hour), ".refresh", "at most"},
		"name and id swapped":      {lists("1234", "customers"), ".lists.1234", "where the name belongs"},
		"rest of an id":            {lists("234", ""), ".lists.234", "thousands separator"},
	} {
		c := DefaultConfig()
		m.change(&c)
		p := c.Validate()
		if len(p) != 1 || p[0].Key != section+m.key || !strings.Contains(p[0].Text, m.want) || p[0].Cure == "" ||
			p[0].Warning {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestValidateNamesTheValueToWrite(t *testing.T) {
	t.Parallel()
	for wrong, want := range map[string]string{
		"1,234": "1234", "12.345.678": "12345678", "1 234": "1234", "1_234": "1234", "1'234": "1234",
		"1.5": "such as 1234", "12,34": "such as 1234", "https://app.hubspot.com/contacts/1/lists/2": "such as 1234",
	} {
		if cure := idCure(wrong); !strings.HasSuffix(cure, want) {
			t.Errorf("id %s: %s", wrong, cure)
		}
	}
	for wrong, want := range map[string]string{
		"hubspot.member_tier": "write member_tier", "Member_Tier": "write member_tier", "contact.tier": "write tier",
		"Member tier": "write the internal name", "": "write the internal name", "7days": "write the internal name",
	} {
		if cure := nameCure(wrong); !strings.HasPrefix(cure, want) {
			t.Errorf("name %s: %s", wrong, cure)
		}
	}
}

func TestValidateWarnsOfOneIDForTwoNames(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	c.Lists = map[string]ListID{"beta": "7", "customers": "7", "staff": "8"}
	want := setting.Problems{{Key: "hubspot.access.lists.customers", Text: "has the same id as beta, 7",
		Cure: "use one name for the list, or correct the id", Warning: true}}
	if d := cmp.Diff([]setting.Problem(want), c.Validate()); d != "" {
		t.Error(d)
	}
}

func TestValidateWarnsWhatShortRefreshCosts(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	c.Refresh = setting.Duration(5 * time.Second)
	if p := c.Validate(); len(p) != 0 {
		t.Errorf("nothing is read, but %+v", p)
	}
	c.Properties = []string{"tier"}
	for want, lists := range map[string]map[string]ListID{"10 calls": nil, "20 calls": {"a": "1"}} {
		c.Lists = lists
		p := c.Validate()
		if len(p) != 1 || !p[0].Warning || !strings.Contains(p[0].Text, want+" of HubSpot's limit every 5s") {
			t.Errorf("%s: %+v", want, p)
		}
	}
}
