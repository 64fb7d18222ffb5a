package gateway

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
)

func TestFindingsHaveSentenceInEveryLanguage(t *testing.T) {
	t.Parallel()
	pages, err := page.New(page.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	dropped := append(mapping.SkipReasons(), mapping.Absences()...)
	for _, reason := range crm.Reasons() {
		dropped = append(dropped, string(reason))
	}
	for column, words := range map[page.Label][]string{
		"dropped": dropped, "source": {"claim", "value", "constant"}, "write": {"always", "if_empty", "create_only"},
		"answer": {"yes", "no", "unknown", "empty", "no_contact", "email_unverified", "outage", "timeout", "failed"},
		"fact":   {"unknown", "contact", "list", "read", "usable"}, "claim": {"userinfo"}, "userinfo": {"failed"},
		"open": {"yes", rules.ReasonGroups, rules.ReasonClaims, rules.ReasonLists, rules.ReasonProperties,
			rules.ReasonAuthAge, rules.ReasonStillOld, rules.ReasonUnverified, rules.ReasonUnknown, rules.ReasonMethod},
		"verdict": {"login", "contact_created", "contact_updated", "contact_dead", "contact_queued", "contact_none",
			"contact_skipped", "contact_off", "contact_unknown", "rules", "rules_one", "rule_open", "rule_closed", "rules_none"},
	} {
		for _, word := range words {
			if !pages.HasFinding(column, word) {
				t.Errorf("no sentence for %s.%s", column, word)
			}
		}
	}
}

func TestContactVerdict(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 24, 9, 30, 0, 0, time.UTC)
	on := hubspot.DefaultConfig()
	on.AccessToken = "token"
	sent := outbox.SyncResult{At: now.Add(-2 * time.Second), Result: "updated"}
	skipped := []mapping.Item{{Why: mapping.SkipUnverified}}
	for want, f := range map[string]findings{
		"contact_updated": {sync: sent, contact: skipped},
		"contact_dead":    {sync: outbox.SyncResult{At: now, Result: "dead"}},
		"contact_queued":  {sync: outbox.SyncResult{Queued: true}},
		"contact_none":    {contact: []mapping.Item{{Why: "no_claim"}}},
		"contact_skipped": {contact: skipped},
		"contact_unknown": {syncErr: errors.New("redis")},
	} {
		got := f.contactVerdict(on, now)
		if bad := want == "contact_dead" || want == "contact_unknown"; got.Finding != want || got.Bad != bad {
			t.Errorf("%s: %+v", want, got)
		}
		if got := f.contactVerdict(hubspot.DefaultConfig(), now); got.Finding != "contact_off" || got.Bad {
			t.Errorf("%s without a token: %+v", want, got)
		}
	}
	if got := (findings{sync: sent}).contactVerdict(on, now); got.Ago != 2*time.Second {
		t.Errorf("%s ago", got.Ago)
	}
}

func TestRulesVerdict(t *testing.T) {
	t.Parallel()
	open, closed := rules.Opened{}, rules.Opened{Unmet: rules.Decision{Kind: rules.Forbid, Reason: rules.ReasonGroups}}
	for want, opened := range map[string][]rules.Opened{
		"rules_none 0 of 0": nil, "rule_open 1 of 1": {open}, "rule_closed 0 of 1": {closed},
		"rules_one 1 of 2": {open, closed}, "rules 2 of 2": {open, open}, "rules 0 of 2": {closed, closed},
	} {
		v := findings{rules: opened}.rulesVerdict()
		got := v.Finding + " " + string(rune('0'+v.N)) + " of " + string(rune('0'+v.Total))
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestClaimTablesShowMappedClaimsFirst(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.HubSpot.Contacts.Properties = map[string]mapping.Property{
		"zip": {Claim: "zone"}, "firstname": {Claim: "given_name"}, "issuer": {Claim: "iss"}, "name2": {Claim: "given_name"},
	}
	at := time.Date(2026, time.November, 24, 9, 30, 0, 0, time.UTC)
	sets := auth.ClaimSets{
		IDToken: map[string]any{"zone": "1", "given_name": "Ada", "iss": "https://idp.example", "nonce": "n",
			"email": "a@b.c", "exp": float64(at.Unix()), "iat": json.Number("1795512600"), "custom:exp": float64(at.Unix()),
			"cognito:groups": []any{"a", "b"}, "address": map[string]any{"locality": "Bonn"}, "updated_at": float64(17)},
		AccessToken:     map[string]any{"jti": "j"},
		UserInfoProblem: "503",
	}
	person, protocol := claimTables(sets, cfg)
	names := func(table page.Table) string {
		var list []string
		for _, row := range table.Rows {
			list = append(list, row[0].Text+row[0].Finding)
		}
		return strings.Join(list, " ")
	}
	const wantPerson = "given_name iss zone address cognito:groups custom:exp email updated_at userinfo"
	if diff := cmp.Diff(wantPerson+"; exp iat jti nonce", names(person)+"; "+names(protocol)); diff != "" {
		t.Error(diff)
	}
	if !protocol.Folded || person.Rows[0][4].Text != "firstname, name2" {
		t.Errorf("%+v %+v", protocol, person.Rows[0])
	}
	cell := func(table page.Table, name string) page.Cell {
		i := slices.IndexFunc(table.Rows, func(row []page.Cell) bool { return row[0].Text == name })
		return table.Rows[i][1]
	}
	for name, want := range map[string]page.Cell{
		"cognito:groups": {Text: "a, b"}, "address": {Text: `{"locality":"Bonn"}`}, "updated_at": {Text: "17"},
		"custom:exp": {Text: "1795512600"},
	} {
		if got := cell(person, name); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if exp, iat := cell(protocol, "exp").Time, cell(protocol, "iat").Time; !exp.Equal(at) || !iat.Equal(at) {
		t.Errorf("exp %s, iat %s", exp, iat)
	}
}
