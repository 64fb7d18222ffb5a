package cli

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// judgedAt is the time of the visits.
var judgedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// visit is a request that a rule admits or rejects.
type visit struct {
	who    *session.Session // nil: anonymous
	method string           // default: GET
}

func someone(groups ...string) *session.Session { return rules.LoggedIn(groups, nil, judgedAt) }

func tier(value string) *session.Session {
	return rules.LoggedIn(nil, map[string]any{"tier": value}, judgedAt)
}

// inList returns a visitor whose contact is in one of two lists.
func inList(id string) *session.Session {
	s := someone()
	s.CRM = &session.CRM{
		Contact: true, Lists: map[string]bool{"1": id == "1", "2": id == "2"},
		ReadAt: judgedAt, UsableUntil: judgedAt.Add(time.Hour),
	}
	return s
}

func loggedIn(ago time.Duration) *session.Session {
	return rules.LoggedIn(nil, nil, judgedAt.Add(-ago))
}

// checkAdmission checks whether a rule admits the visit in both places that enforce it: at the page and in
// /oauth2/auth.
func (v visit) checkAdmission(t *testing.T, field, rule string, at protection, admitted bool) {
	t.Helper()
	if v.method == "" {
		v.method = http.MethodGet
	}
	gate := v.gate(t, at)
	d := gate.Rules().Match(at.subject.Host, at.subject.Path).Decide(v.method, 0, v.who, judgedAt)
	if got := d.Kind == rules.Public || d.Kind == rules.Allow; got != admitted {
		t.Errorf("%s: %s answers %+v with %s, admitted: want %v", field, rule, v, d.Kind, admitted)
	}
	r := httptest.NewRequest(http.MethodGet, "/oauth2/auth", http.NoBody)
	r.Header.Set("X-Forwarded-Uri", at.subject.Path.Escaped())
	r.Header.Set("X-Forwarded-Method", v.method)
	facts := &inbound.Facts{Trusted: true, Site: at.cfg.Server.Sites()[0]}
	answer := httptest.NewRecorder()
	gate.Check(answer, r.WithContext(inbound.With(t.Context(), facts)))
	if got := answer.Code == http.StatusAccepted; got != admitted {
		t.Errorf("%s: /oauth2/auth answers %+v with %d by %s, admitted: want %v", field, v, answer.Code, rule, admitted)
	}
}

func (v visit) gate(t *testing.T, at protection) *proxy.Gate {
	t.Helper()
	pages, err := page.New(page.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	gate, err := proxy.New(at.cfg.Proxy, proxy.Deps{
		Pages: pages, Log: slog.New(slog.DiscardHandler), Sites: at.cfg.Server.Sites(), AuthPrefix: "/oauth2",
		RulesEnv:    at.cfg.RulesEnv(),
		ForwardAuth: proxy.ForwardAuthHeaders, Now: func() time.Time { return judgedAt },
		Sessions: v,
	})
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

func (v visit) Load(http.ResponseWriter, *http.Request) (*session.Session, error) { return v.who, nil }

func (v visit) Peek(*http.Request) (*session.Session, error) { return v.who, nil }

func (v visit) Ended(string) (<-chan struct{}, func()) { return nil, func() {} }
