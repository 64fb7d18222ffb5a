package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

func text(value string) page.Cell   { return page.Cell{Text: value} }
func code(value string) page.Cell   { return page.Cell{Text: value, Code: value != ""} }
func finding(word string) page.Cell { return page.Cell{Finding: word} }

// sentTable shows what the mapping makes of the login.
func sentTable(items []mapping.Item) page.Table {
	table := page.Table{Caption: "sent", Columns: []page.Label{"property", "value", "source", "write", "dropped"}}
	for _, item := range items {
		kind, name, _ := strings.Cut(item.Source, " ")
		table.Rows = append(table.Rows, []page.Cell{
			text(item.Property), text(item.Value), {Finding: kind, Text: name, Code: name != ""}, finding(item.Write),
			finding(item.Why),
		})
	}
	return table
}

// protocolClaims are about the login or the token, not about the person (RFC 7519, RFC 9068, OpenID Connect, Cognito).
var protocolClaims = []string{
	"acr", "amr", "at_hash", "aud", "auth_time", "azp", "c_hash", "client_id", "cognito:preferred_role", "cognito:roles",
	"event_id", "exp", "iat", "identities", "iss", "jti", "nbf", "nonce", "origin_jti", "s_hash", "scope", "sid",
	"token_use", "typ", "ver", "version",
}

// claimTables shows the claims that are mapped, then others about the person, and apart from them those of the
// protocol.
func claimTables(sets auth.ClaimSets, cfg *config.Config) (person, protocol page.Table) {
	columns := []page.Label{"claim", "id_token", "access_token", "userinfo", "property"}
	person = page.Table{Caption: "claims", Columns: columns}
	protocol = page.Table{Caption: "protocol", Columns: columns, Folded: true}
	mapped := map[string][]string{} // claim -> properties
	for property, p := range cfg.HubSpot.Contacts.Properties {
		if p.Claim != "" {
			mapped[p.Claim] = append(mapped[p.Claim], property)
		}
	}
	names := map[string]bool{}
	for _, set := range []map[string]any{sets.IDToken, sets.AccessToken, sets.UserInfo} {
		for name := range set {
			names[name] = true
		}
	}
	var others [][]page.Cell
	for _, name := range slices.Sorted(maps.Keys(names)) {
		slices.Sort(mapped[name])
		row := []page.Cell{text(name), claimCell(sets.IDToken, name), claimCell(sets.AccessToken, name),
			claimCell(sets.UserInfo, name), text(strings.Join(mapped[name], ", "))}
		switch {
		case len(mapped[name]) > 0:
			person.Rows = append(person.Rows, row)
		case slices.Contains(protocolClaims, name) && name != cfg.Auth.GroupsClaim:
			protocol.Rows = append(protocol.Rows, row)
		default:
			others = append(others, row)
		}
	}
	person.Rows = append(person.Rows, others...)
	if sets.UserInfoProblem != "" {
		problem := page.Cell{Finding: "failed", Text: sets.UserInfoProblem, Code: true}
		person.Rows = append(person.Rows, []page.Cell{finding("userinfo"), {}, {}, problem, {}})
	}
	return person, protocol
}

// leastDate is in 2001. Smaller numbers of a claim are not dates.
const leastDate = 1e9

// claimCell returns a claim: times as such, lists of texts without JSON, all others as JSON unless they are texts.
func claimCell(claims map[string]any, name string) page.Cell {
	v, ok := claims[name]
	if !ok {
		return page.Cell{}
	}
	if seconds, ok := number(v); ok && seconds >= leastDate && isDate(name) {
		return page.Cell{Time: time.Unix(int64(seconds), 0)}
	}
	if s, ok := v.(string); ok {
		return text(s)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return text(fmt.Sprint(v))
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return text(strings.Join(list, ", "))
	}
	return text(string(raw))
}

// isDate reports whether a claim is a time in Unix seconds.
func isDate(name string) bool {
	return slices.Contains([]string{"auth_time", "exp", "iat", "nbf", "updated_at"}, name)
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int64:
		return float64(n), true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	}
	return 0, false
}

// accessTable shows what HubSpot knows about a person, as rules name it, or why it is unknown.
func accessTable(cfg access.Config, known *session.CRM, unknown error) page.Table {
	table := page.Table{Caption: "known", Columns: []page.Label{"fact", "answer"}}
	row := func(fact, answer page.Cell) { table.Rows = append(table.Rows, []page.Cell{fact, answer}) }
	if unknown != nil {
		answer := page.Cell{Finding: access.Why(unknown)}
		if answer.Finding == "" || answer.Finding == "outage" {
			answer.Text, answer.Code = unknown.Error(), true
		}
		row(finding("unknown"), answer)
	}
	if known == nil {
		return table
	}
	if !known.Contact {
		row(finding("contact"), finding("no_contact"))
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Lists)) {
		in, asked := known.Lists[string(cfg.Lists[name])]
		answer := "unknown"
		if asked {
			answer = map[bool]string{true: "yes", false: "no"}[in]
		}
		row(page.Cell{Finding: "list", Text: name + " (" + string(cfg.Lists[name]) + ")"}, finding(answer))
	}
	for _, name := range slices.Sorted(slices.Values(cfg.Properties)) {
		answer := finding("unknown")
		if values, asked := known.Properties[name]; len(values) > 0 {
			answer = text(strings.Join(values, ", "))
		} else if asked {
			answer = finding("empty")
		}
		row(text(session.CRMClaimPrefix+name), answer)
	}
	row(finding("read"), page.Cell{Time: known.ReadAt})
	row(finding("usable"), page.Cell{Time: known.UsableUntil})
	return table
}

// ruleTable shows which rules are open to a person. What a rule asks for is in the words of the configuration.
func ruleTable(opened []rules.Opened) page.Table {
	table := page.Table{Caption: "rules", Columns: []page.Label{"rule", "paths", "asks", "open"}}
	for _, o := range opened {
		open, paths := "yes", strings.Join(o.Paths, ", ")
		if o.Unmet.Kind != "" {
			open = o.Unmet.Reason
		}
		if paths == o.Rule.Name {
			paths = ""
		}
		table.Rows = append(table.Rows, []page.Cell{text(o.Rule.Name), code(paths), code(o.Asks), finding(open)})
	}
	return table
}
