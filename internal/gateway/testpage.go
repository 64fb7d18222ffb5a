package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// testPage shows somebody of auth.admin_groups what came back from their own login, what would be sent to HubSpot, how the last sync
// ended and which rules their groups open. It holds claims, never a token.
func (g *gateway) testPage(gen *generation, w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		gen.pages.Write(w, r, page.Page{Name: page.MethodRefused, Status: http.StatusMethodNotAllowed})
		return
	}
	s, err := g.sessions.Load(w, r)
	switch {
	case errors.Is(err, session.ErrNoSession):
		gen.auth.Endpoint(w, withTarget(r, gen.cfg.Auth.Prefix), "start")
		return
	case err != nil:
		inbound.Of(r).Outcome.Err = err
		gen.pages.Write(w, r, page.Page{Name: page.Unavailable, Status: http.StatusServiceUnavailable, Cause: "store", RetryAfter: 5 * time.Second})
		return
	case !s.HasGroup(gen.cfg.Auth.AdminGroups...):
		o := &inbound.Of(r).Outcome
		o.Decision, o.Reason, o.SessionRef, o.Email = "forbid", "groups", s.Ref, s.Email
		gen.pages.Write(w, r, page.Page{
			Name: page.Forbidden, Status: http.StatusForbidden, Args: map[string]string{"account": s.Email},
			Forms: []page.Form{gen.auth.SwitchForm(r)}, FormOrigins: gen.auth.FormOrigins(), Links: []page.Link{{Label: page.LabelHome, URL: "/"}},
		})
		return
	}
	login := loginOf(s)
	sets := gen.auth.LastClaims(r.Context(), s)
	tables := []page.Table{claimTable(sets, gen.cfg.HubSpot.Contacts.Properties), g.propertyTable(login), g.syncTable(r, s), ruleTable(gen, s)}
	gen.pages.Write(w, r, page.Page{
		Name: page.TestLogin, Status: http.StatusOK, Tables: tables,
		Rows:  []page.Row{{Label: page.LabelAccount, Value: s.Email}, {Label: page.LabelSince, Time: s.CreatedAt}, {Label: page.LabelUntil, Time: s.ExpiresAt}},
		Links: []page.Link{{Label: page.LabelHome, URL: "/"}},
	})
}

// withTarget makes a request to the start of a login out of one to the test page; the way back is the start page, since a login does
// not return to the gateway's own endpoints.
func withTarget(r *http.Request, prefix string) *http.Request {
	next := r.Clone(r.Context())
	next.URL.Path, next.URL.RawPath, next.URL.RawQuery = prefix+"/start", "", ""
	return next
}

func claimTable(sets auth.ClaimSets, properties map[string]hubspot.PropertyConfig) page.Table {
	becomes := map[string][]string{}
	for property, p := range properties {
		if p.Claim != "" {
			becomes[p.Claim] = append(becomes[p.Claim], property)
		}
	}
	names := map[string]bool{}
	for _, set := range []map[string]any{sets.IDToken, sets.AccessToken, sets.UserInfo} {
		for name := range set {
			names[name] = true
		}
	}
	t := page.Table{Caption: "Claims", Columns: []string{"Claim", "ID token", "Access token", "UserInfo", "Contact property"}}
	for _, name := range setting.SortedNames(names) {
		slices.Sort(becomes[name])
		t.Rows = append(t.Rows, []string{name, show(sets.IDToken, name), show(sets.AccessToken, name), show(sets.UserInfo, name), strings.Join(becomes[name], ", ")})
	}
	if sets.UserInfoProblem != "" {
		t.Rows = append(t.Rows, []string{"(UserInfo)", "", "", sets.UserInfoProblem, ""})
	}
	return t
}

func show(claims map[string]any, name string) string {
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

func (g *gateway) propertyTable(login outbox.Login) page.Table {
	t := page.Table{Caption: "What would be sent to HubSpot", Columns: []string{"Property", "Value", "Source", "Written", "Left out because"}}
	for _, item := range g.contacts.Preview(login) {
		t.Rows = append(t.Rows, []string{item.Property, item.Value, item.Source, item.Write, item.Dropped})
	}
	return t
}

func (g *gateway) syncTable(r *http.Request, s *session.Session) page.Table {
	t := page.Table{Caption: "Last sync of this person", Columns: []string{"When", "Result", "Detail"}}
	last, err := g.contacts.LastSync(r.Context(), s.Issuer, s.Subject)
	switch {
	case err != nil:
		t.Rows = [][]string{{"", "unknown", "Redis cannot be asked just now"}}
	case last.At.IsZero():
		t.Rows = [][]string{{"", "not yet", ""}}
	default:
		t.Rows = [][]string{{last.At.UTC().Format(time.RFC3339), last.Result, last.Error}}
	}
	return t
}

func ruleTable(gen *generation, s *session.Session) page.Table {
	t := page.Table{Caption: "Rules", Columns: []string{"Rule", "Paths", "Groups", "Open to you"}}
	for _, o := range gen.gate.Rules().OpenedBy(s.Groups) {
		open := "no"
		if o.Open {
			open = "yes"
		}
		t.Rows = append(t.Rows, []string{o.Rule.Name, strings.Join(o.Paths, ", "), strings.Join(o.Groups, ", "), open})
	}
	return t
}

// loginOf is a session in HubSpot's words.
func loginOf(s *session.Session) outbox.Login {
	return outbox.Login{
		Issuer: s.Issuer, Subject: s.Subject, Email: s.Email, EmailVerified: s.EmailVerified, Name: s.Name, Groups: s.Groups,
		Claims: s.Claims, Host: s.Host, At: s.CreatedAt,
	}
}
