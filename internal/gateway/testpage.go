package gateway

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// testPage shows members of auth.admin_groups whether the configuration works: the contact properties that are sent to
// HubSpot, the claims of their own login, what HubSpot knows about them, and the rules that are open to them. It never
// shows a token.
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
	var reason session.Reason
	if none := (*session.NoSessionError)(nil); errors.As(err, &none) {
		reason = none.Reason
	}
	switch {
	case errors.Is(err, session.ErrNoSession):
		gen.auth.Begin(w, r, reason, 0)
	case err != nil:
		inbound.Of(r).Outcome.Err = err
		gen.pages.Write(w, r, page.Page{
			Name: page.Unavailable, Status: http.StatusServiceUnavailable, Cause: "store", RetryAfter: 5 * time.Second,
		})
	case !s.HasGroup(gen.cfg.Auth.AdminGroups...):
		o := &inbound.Of(r).Outcome
		o.Decision, o.Reason, o.SessionRef, o.Email = "forbid", "groups", s.Ref, s.Email
		gen.pages.Write(w, r, page.Page{
			Name: page.Forbidden, Status: http.StatusForbidden, Args: map[string]string{"account": s.Email},
			Forms: []page.Form{gen.auth.SwitchForm(r)}, FormOrigins: gen.auth.FormOrigins(),
			Links: []page.Link{{Label: page.LabelHome, URL: "/"}},
		})
	default:
		gen.pages.Write(w, r, t.page(r, s))
	}
}

// findings are what the page shows about a session.
type findings struct {
	contact []mapping.Item
	sync    outbox.SyncResult
	syncErr error
	claims  auth.ClaimSets
	known   *session.CRM // what HubSpot knows, or nil
	unknown error        // why it is unknown, if it is
	rules   []rules.Opened
}

func (t testPage) find(r *http.Request, s *session.Session) findings {
	f := findings{
		contact: t.contacts.Preview(loginOf(s, t.gen.cfg.Auth.GroupsClaim)),
		claims:  t.gen.auth.LastClaims(r.Context(), s),
	}
	f.sync, f.syncErr = t.contacts.LastSync(r.Context(), s.Issuer, s.Subject)
	judged := *s
	if t.gen.cfg.HubSpot.Access.On() {
		f.known, f.unknown = t.access.Ask(r.Context(), s)
		judged.CRM = f.known
	}
	f.rules = t.gen.gate.Rules().OpenedBy(&judged, time.Now())
	return f
}

func (t testPage) page(r *http.Request, s *session.Session) page.Page {
	f, now, cfg := t.find(r, s), time.Now(), t.gen.cfg
	rows := []page.Row{
		{Label: page.LabelAccount, Value: s.Email}, {Label: page.LabelSince, Time: s.CreatedAt},
		{Label: page.LabelUntil, Time: s.ExpiresAt, Left: s.ExpiresAt.Sub(now)},
	}
	if !f.sync.At.IsZero() {
		rows = append(rows, page.Row{Label: page.LabelSynced, Time: f.sync.At})
	}
	if f.sync.Error != "" {
		rows = append(rows, page.Row{Label: page.LabelSyncError, Value: f.sync.Error})
	}
	mapped, protocol := claimTables(f.claims, cfg)
	tables := []page.Table{sentTable(f.contact), mapped}
	if cfg.HubSpot.Access.On() {
		tables = append(tables, accessTable(cfg.HubSpot.Access, f.known, f.unknown))
	}
	again := cfg.Auth.Prefix + "/start?rd=" + url.QueryEscape(cfg.Auth.Prefix+"/test")
	return page.Page{
		Name: page.TestLogin, Status: http.StatusOK, Rows: rows,
		Verdict: []page.Sentence{{Finding: "login"}, f.contactVerdict(cfg.HubSpot, now), f.rulesVerdict()},
		Tables:  append(tables, ruleTable(f.rules), protocol),
		Links:   []page.Link{{Label: page.LabelRetest, URL: again}, {Label: page.LabelHome, URL: "/"}},
	}
}

// contactVerdict says what became of the person's contact.
func (f findings) contactVerdict(cfg hubspot.Config, now time.Time) page.Sentence {
	v := page.Sentence{Finding: "contact_" + f.sync.Result, Ago: now.Sub(f.sync.At)}
	switch {
	case !cfg.Contacts.Sync || cfg.AccessToken == "":
		v.Finding = "contact_off"
	case f.syncErr != nil:
		v.Finding, v.Bad = "contact_unknown", true
	case f.sync.Result == "dead":
		v.Bad = true
	case !f.sync.At.IsZero():
	case f.sync.Queued:
		v.Finding = "contact_queued"
	case f.skipped():
		v.Finding = "contact_skipped"
	default:
		v.Finding = "contact_none"
	}
	return v
}

// skipped reports whether the person must not become a contact.
func (f findings) skipped() bool {
	for _, item := range f.contact {
		if mapping.SkipText(item.Why) != "" {
			return true
		}
	}
	return false
}

// rulesVerdict counts the rules that are open to the person.
func (f findings) rulesVerdict() page.Sentence {
	v := page.Sentence{Finding: "rules", Total: len(f.rules)}
	for _, o := range f.rules {
		if o.Unmet.Kind == "" {
			v.N++
		}
	}
	switch {
	case v.Total == 0:
		v.Finding = "rules_none"
	case v.Total == 1:
		v.Finding = []string{"rule_closed", "rule_open"}[v.N]
	case v.N == 1:
		v.Finding = "rules_one"
	}
	return v
}
