package openid

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGroupsInReadsEveryFormat(t *testing.T) {
	t.Parallel()
	list := func(v ...any) []any { return v }
	for name, c := range map[string]struct {
		claim any
		want  []string
	}{
		"a list":                   {list("staff", "partner"), []string{"staff", "partner"}},
		"one word":                 {"staff", []string{"staff"}},
		"one name with a comma":    {"Sales, EMEA", []string{"Sales, EMEA"}},
		"one name with spaces":     {"Sales team", []string{"Sales team"}},
		"brackets":                 {"[staff, partner]", []string{"staff", "partner"}},
		"brackets without spaces":  {"[staff,partner]", []string{"staff", "partner"}},
		"brackets around one":      {"[staff]", []string{"staff"}},
		"spaces around brackets":   {" [staff , partner] ", []string{"staff", "partner"}},
		"names with spaces":        {"[Sales team, HR]", []string{"Sales team", "HR"}},
		"form-encoded names":       {"[Sales%2C+EMEA, HR]", []string{"Sales, EMEA", "HR"}},
		"JSON":                     {`["staff","partner"]`, []string{"staff", "partner"}},
		"JSON, names with commas":  {`["Sales, EMEA", "HR"]`, []string{"Sales, EMEA", "HR"}},
		"empty brackets":           {"[]", nil},
		"commas alone":             {"[ , ,]", nil},
		"one bracket":              {"[staff", []string{"[staff"}},
		"a bracket inside":         {"staff [old]", []string{"staff [old]"}},
		"brackets of a list stay":  {list("[staff, partner]"), []string{"[staff, partner]"}},
		"absent":                   {nil, nil},
		"empty":                    {"", nil},
		"a number":                 {7.0, nil},
		"things that are no names": {list("staff", 7.0, nil, ""), []string{"staff"}},
	} {
		cfg := Config{UserPool: "eu-west-1_X", GroupsClaim: "cognito:groups"}
		claims := map[string]any{}
		if c.claim != nil {
			claims["cognito:groups"] = c.claim
		}
		got := cfg.GroupsIn(cfg.SplitClaims(claims))
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
}

func TestGroupsInAcceptsPath(t *testing.T) {
	t.Parallel()
	roles := []any{"staff"}
	for name, claims := range map[string]map[string]any{
		"realm_access.roles":          {"realm_access": map[string]any{"roles": roles}},
		"resource_access.web.roles":   {"resource_access": map[string]any{"web": map[string]any{"roles": roles}}},
		"resource_access.a.b.c.roles": {"resource_access": map[string]any{"a.b.c": map[string]any{"roles": roles}}},
		"https://example.com/groups":  {"https://example.com/groups": roles},
		"urn:zitadel.roles":           {"urn:zitadel.roles": "[staff]", "urn:zitadel": map[string]any{"roles": "x"}},
	} {
		if d := cmp.Diff([]string{"staff"}, (Config{GroupsClaim: name}).GroupsIn(claims)); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
	absent := []string{"realm_access.none", "realm_access", "realm_access.roles.staff", ".", "", "realm_access..roles"}
	for _, name := range absent {
		claims := map[string]any{"realm_access": map[string]any{"roles": roles}}
		if got := (Config{GroupsClaim: name}).GroupsIn(claims); got != nil {
			t.Errorf("%q finds %v", name, got)
		}
	}
}

// Of other claims only Cognito's custom attributes are lists in brackets: nothing else changes its meaning.
func TestSplitClaimsSplitsGroupsAndCustomAttributes(t *testing.T) {
	t.Parallel()
	claims := func() map[string]any {
		return map[string]any{
			"groups": "[a, b]", "custom:role": "[a, b]", "name": "[a, b]", "custom:tier": "gold", "sub": "[a]",
		}
	}
	ab := []any{"a", "b"}
	cognito := map[string]any{"groups": ab, "custom:role": ab, "name": "[a, b]", "custom:tier": "gold", "sub": "[a]"}
	if d := cmp.Diff(cognito, (Config{UserPool: "eu-west-1_X", GroupsClaim: "groups"}).SplitClaims(claims())); d != "" {
		t.Errorf("Cognito (-want +got)\n%s", d)
	}
	other := map[string]any{"groups": ab, "custom:role": "[a, b]", "name": "[a, b]", "custom:tier": "gold", "sub": "[a]"}
	elsewhere := Config{Issuer: "https://id.example.com", GroupsClaim: "groups"}
	if d := cmp.Diff(other, elsewhere.SplitClaims(claims())); d != "" {
		t.Errorf("another provider (-want +got)\n%s", d)
	}
}
