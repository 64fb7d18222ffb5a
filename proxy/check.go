package proxy

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// loginHeader is the header of a 401 from /oauth2/auth with the URL of the login: a path of the same host with an
// encoded parameter, for servers that cannot encode (nginx).
const loginHeader = "X-Hubgate-Login"

// Check responds to /oauth2/auth, for servers that ask before they serve a page (nginx auth_request, forward-auth):
// 202, 401, 403, or 503 if access cannot be determined. The question is whether the rules let this session see a path.
// A question that is repeated, unknown or ambiguous is 403.
func (g *Gate) Check(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	o := &inbound.Of(r).Outcome
	o.Set(o.Rule, string(rules.Refuse), "check")
	if r.Method != http.MethodGet && r.Method != http.MethodHead { // its body might be the question
		w.Header().Set("Allow", "GET, HEAD")
		g.deps.Pages.Write(w, r, page.Page{Name: page.MethodRefused, Status: http.StatusMethodNotAllowed})
		return
	}
	q, err := g.question(r)
	if err != nil {
		g.refuseQuestion(w, r, err)
		return
	}
	g.answer(w, r, q)
}

// refuseQuestion responds to a question that cannot be answered.
func (g *Gate) refuseQuestion(w http.ResponseWriter, r *http.Request, cause error) {
	inbound.Of(r).Outcome.Err = cause
	if g.refused.due(cause, g.deps.Now()) {
		g.deps.Log.WarnContext(r.Context(), "a forward-auth question was refused",
			"error", cause.Error(), "peer", inbound.Of(r).Peer.String())
	}
	g.deps.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusForbidden})
}

// answer responds to a question.
func (g *Gate) answer(w http.ResponseWriter, r *http.Request, q question) {
	s, err := g.deps.Sessions.Peek(r)
	if err != nil && !errors.Is(err, session.ErrNoSession) {
		failed(r, "error", "store")
		inbound.Of(r).Outcome.Err = err
		g.deps.Pages.Write(w, r, unavailable())
		return
	}
	if s != nil && !g.knowsLists(q) { // without a session, the answer must not tell which lists exist
		g.refuseQuestion(w, r, errUnknownList)
		return
	}
	match := g.asked(q)
	d, _, unknown := g.judge(r.Context(), s, func(s *session.Session) rules.Decision {
		return match.Decide(q.method, q.params, s, g.deps.Now())
	})
	g.setAnswer(r, d, s)
	switch {
	case d.Admits():
		w.WriteHeader(http.StatusAccepted)
	case d.Kind == rules.Login:
		loginURL := g.loginURL(q.back)
		w.Header().Set(loginHeader, loginURL)
		g.deps.Pages.Write(w, r, page.Page{
			Name: page.LoginRequired, Status: http.StatusUnauthorized, LoginURL: loginURL,
			Links: []page.Link{{Label: page.LabelLogin, URL: loginURL}},
		})
	case d.Unknown():
		failed(r, "error", "crm")
		inbound.Of(r).Outcome.Err = unknown
		g.deps.Pages.Write(w, r, crmUnavailable())
	case s == nil: // page.Forbidden is for users who are logged in
		g.deps.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusForbidden})
	default:
		g.deps.Pages.Write(w, r, page.Page{Name: page.Forbidden, Status: http.StatusForbidden, Cause: d.Reason})
	}
}

// setAnswer records the decision about a question, as if the page itself had been requested. The rule stays the
// gateway's own if the groups and lists of the question decide.
func (g *Gate) setAnswer(r *http.Request, d rules.Decision, s *session.Session) {
	own := inbound.Of(r).Outcome.Rule
	setOutcome(r, d, s)
	if d.Rule == g.questionRule {
		inbound.Of(r).Outcome.Rule = own
	}
}

// maxBack limits how much of a URL the URL of a login repeats, because proxies reject long headers. Longer queries are
// dropped.
const maxBack = 1 << 10

// loginURL returns the URL of a login that leads back to a page.
func (g *Gate) loginURL(back string) string {
	if len(back) > maxBack {
		back, _, _ = strings.Cut(back, "?")
	}
	if len(back) > maxBack || back == "" {
		back = "/"
	}
	return g.deps.AuthPrefix + "/start?rd=" + url.QueryEscape(back)
}

// knowsLists reports whether hubspot.access.lists has all lists of a question.
func (g *Gate) knowsLists(q question) bool {
	return !slices.ContainsFunc(q.lists, func(name string) bool {
		_, known := g.deps.RulesEnv.Lists[name]
		return !known
	})
}

// asked returns what a question asks for: the rules of its path, and its groups and lists in addition.
func (g *Gate) asked(q question) rules.Match {
	more := rules.RuleConfig{Groups: q.groups, Lists: q.lists}
	switch {
	case q.path == nil:
		return g.rules.Only(more)
	case q.groups == nil && q.lists == nil:
		return g.rules.Match(q.host, *q.path)
	}
	return g.rules.Match(q.host, *q.path).And(more)
}
