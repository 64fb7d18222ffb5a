package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// testPage shows members of auth.admin_groups what HubSpot knows about them, the rules that are open to them, the
// claims of their own login, the contact properties that would be sent to HubSpot, and the result of the last sync. It
// never shows a token.
type testPage struct {
	gen      *generation
	sessions *session.Manager
	contacts *hubspot.Contacts
	access   *crmAccess
}

// ServeHTTP shows the page, or starts a login.
func (t testPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	gen := t.gen
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		gen.pages.Write(w, r, page.Page{Name: page.MethodRefused, Status: http.StatusMethodNotAllowed})
		return
	}
	s, err := t.sessions.Load(w, r)
	switch {
	case errors.Is(err, session.ErrNoSession):
		gen.auth.Endpoint(w, loginRequest(r, gen.cfg.Auth.Prefix), "start")
		return
	case err != nil:
		inbound.Of(r).Outcome.Err = err
		gen.pages.Write(w, r, page.Page{
			Name: page.Unavailable, Status: http.StatusServiceUnavailable, Cause: "store", RetryAfter: 5 * time.Second,
		})
		return
	case !s.HasGroup(gen.cfg.Auth.AdminGroups...):
		o := &inbound.Of(r).Outcome
		o.Decision, o.Reason, o.SessionRef, o.Email = "forbid", "groups", s.Ref, s.Email
		gen.pages.Write(w, r, page.Page{
			Name: page.Forbidden, Status: http.StatusForbidden, Args: map[string]string{"account": s.Email},
			Forms: []page.Form{gen.auth.SwitchForm(r)}, FormOrigins: gen.auth.FormOrigins(), Links: homeLink(),
		})
		return
	}
	gen.pages.Write(w, r, page.Page{
		Name: page.TestLogin, Status: http.StatusOK, Tables: t.tables(r, s), Links: homeLink(),
		Rows: []page.Row{
			{Label: page.LabelAccount, Value: s.Email}, {Label: page.LabelSince, Time: s.CreatedAt},
			{Label: page.LabelUntil, Time: s.ExpiresAt},
		},
	})
}

func homeLink() []page.Link { return []page.Link{{Label: page.LabelHome, URL: "/"}} }

// loginRequest turns a request for the test page into one that starts a login. The login returns to the home page,
// because it does not return to the gateway's own endpoints.
func loginRequest(r *http.Request, prefix string) *http.Request {
	next := r.Clone(r.Context())
	next.URL.Path, next.URL.RawPath, next.URL.RawQuery = prefix+"/start", "", ""
	return next
}

func (t testPage) tables(r *http.Request, s *session.Session) []page.Table {
	var tables []page.Table
	judged := *s
	if cfg := t.gen.cfg.HubSpot.Access; cfg.On() {
		known, unknown := t.access.Ask(r.Context(), s)
		judged.CRM, tables = known, append(tables, accessTable(cfg, known, unknown))
	}
	return append(tables, t.ruleTable(&judged),
		claimTable(t.gen.auth.LastClaims(r.Context(), s), t.gen.cfg.HubSpot.Contacts.Properties),
		t.propertyTable(s), t.syncTable(r, s))
}

func claimTable(sets auth.ClaimSets, properties map[string]mapping.Property) page.Table {
	mapped := map[string][]string{} // claim -> properties
	for property, p := range properties {
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
	table := page.Table{
		Caption: "Claims", Columns: []string{"Claim", "ID token", "Access token", "UserInfo", "Contact property"},
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		slices.Sort(mapped[name])
		table.Rows = append(table.Rows, []string{
			name, claimText(sets.IDToken, name), claimText(sets.AccessToken, name), claimText(sets.UserInfo, name),
			strings.Join(mapped[name], ", "),
		})
	}
	if sets.UserInfoProblem != "" {
		table.Rows = append(table.Rows, []string{"(UserInfo)", "", "", sets.UserInfoProblem, ""})
	}
	return table
}

// claimText returns the value of a claim, as JSON unless it is a string.
func claimText(claims map[string]any, name string) string {
	v, ok := claims[name]
	if !ok {
		return ""
	}
	if text, ok := v.(string); ok {
		return text
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

func (t testPage) propertyTable(s *session.Session) page.Table {
	table := page.Table{
		Caption: "What would be sent to HubSpot",
		Columns: []string{"Property", "Value", "Source", "Written", "Left out because"},
	}
	for _, item := range t.contacts.Preview(loginOf(s, t.gen.cfg.Auth.GroupsClaim)) {
		table.Rows = append(table.Rows, []string{item.Property, item.Value, item.Source, item.Write, item.Dropped})
	}
	return table
}

func (t testPage) syncTable(r *http.Request, s *session.Session) page.Table {
	table := page.Table{Caption: "Last sync of this person", Columns: []string{"When", "Result", "Detail"}}
	last, err := t.contacts.LastSync(r.Context(), s.Issuer, s.Subject)
	switch {
	case err != nil:
		table.Rows = [][]string{{"", "unknown", "Redis is unavailable"}}
	case last.At.IsZero():
		table.Rows = [][]string{{"", "not yet", ""}}
	default:
		table.Rows = [][]string{{last.At.UTC().Format(time.RFC3339), last.Result, last.Error}}
	}
	return table
}

func (t testPage) ruleTable(s *session.Session) page.Table {
	table := page.Table{Caption: "Rules", Columns: []string{"Rule", "Paths", "Asks for", "Open to you"}}
	for _, o := range t.gen.gate.Rules().OpenedBy(s, time.Now()) {
		open := "yes"
		switch {
		case o.Unmet.Unknown():
			open = "unknown: see above"
		case o.Unmet.Kind != "":
			open = "no: " + rules.ReasonText(o.Unmet.Reason)
		}
		table.Rows = append(table.Rows, []string{o.Rule.Name, strings.Join(o.Paths, ", "), o.Asks, open})
	}
	return table
}
