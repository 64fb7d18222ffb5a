package proxy

import (
	"errors"
	"net/http"
	"net/url"
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
// 202, 401, 403, or 503 if the session cannot be loaded. The question is whether the rules let this session see a path.
// A question that is repeated, unknown or ambiguous is 403.
func (g *Gate) Check(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	inbound.Of(r).Outcome.Reason = "check"
	if r.Method != http.MethodGet && r.Method != http.MethodHead { // its body might be the question
		w.Header().Set("Allow", "GET, HEAD")
		g.deps.Pages.Write(w, r, page.Page{Name: page.MethodRefused, Status: http.StatusMethodNotAllowed})
		return
	}
	status := http.StatusForbidden
	q, err := g.question(r)
	if err != nil {
		inbound.Of(r).Outcome.Err = err
		if g.refused.due(err, g.deps.Now()) {
			g.deps.Log.WarnContext(r.Context(), "a forward-auth question was refused",
				"error", err.Error(), "peer", inbound.Of(r).Peer.String())
		}
	} else {
		status = g.answer(r, q)
	}
	answer := page.Page{Name: page.Forbidden, Status: status}
	if inbound.Of(r).Outcome.SessionRef == "" {
		answer.Name = page.Refused // page.Forbidden is for users who are logged in
	}
	switch status {
	case http.StatusAccepted:
		w.WriteHeader(status)
		return
	case http.StatusUnauthorized:
		answer = page.Page{Name: page.LoginRequired, Status: status, LoginURL: g.loginURL(q.back)}
		answer.Links = []page.Link{{Label: page.LabelLogin, URL: answer.LoginURL}}
		w.Header().Set(loginHeader, answer.LoginURL)
	case http.StatusServiceUnavailable:
		answer = unavailable()
	}
	g.deps.Pages.Write(w, r, answer)
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

// answer returns the status for a question.
func (g *Gate) answer(r *http.Request, q question) int {
	s, err := g.deps.Sessions.Peek(r)
	if err != nil && !errors.Is(err, session.ErrNoSession) {
		inbound.Of(r).Outcome.Err = err
		return http.StatusServiceUnavailable
	}
	status := g.admits(q, s)
	if status == http.StatusForbidden && s != nil { // for the audit log
		o := &inbound.Of(r).Outcome
		o.Decision, o.SessionRef, o.Email = string(rules.Forbid), s.Ref, s.Email
	}
	return status
}

// admits returns the status for a question and a session, nil for an anonymous visitor.
func (g *Gate) admits(q question, s *session.Session) int {
	if q.path == nil {
		return admit(s, q.groups, s != nil)
	}
	d := g.rules.Match(q.host, *q.path).Decide(q.method, q.params, s, g.deps.Now())
	switch d.Kind {
	case rules.Public:
		if q.groups == nil {
			return http.StatusAccepted
		}
		return admit(s, q.groups, s != nil)
	case rules.Allow:
		return admit(s, q.groups, true)
	case rules.Login:
		return http.StatusUnauthorized
	}
	return http.StatusForbidden
}

// admit returns the status for a session that must be in one of the groups, any if they are nil.
func admit(s *session.Session, groups []string, ok bool) int {
	switch {
	case !ok || s == nil:
		return http.StatusUnauthorized
	case groups != nil && !s.HasGroup(groups...):
		return http.StatusForbidden
	}
	return http.StatusAccepted
}
