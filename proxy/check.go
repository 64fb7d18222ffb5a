package proxy

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/session"
)

// Check answers /oauth2/auth for servers that ask before they serve (nginx auth_request, forward-auth): 202, 401, 403, or 503 when
// the store cannot answer. The question is "would the rules let this session see that path", strictly read: whatever is doubled,
// unknown or ambiguous is 403, for a question that is misread opens a page (PB-25, RP-30).
func (g *Gate) Check(w http.ResponseWriter, r *http.Request) {
	q, ok := g.question(r)
	status := http.StatusForbidden
	if ok {
		status = g.answer(r, q)
	}
	inbound.Of(r).Outcome.Reason = "check"
	w.Header().Set("Cache-Control", "no-store")
	if status == http.StatusAccepted {
		w.WriteHeader(status)
		return
	}
	answer := map[int]page.Page{
		http.StatusUnauthorized:       {Name: page.LoginRequired},
		http.StatusForbidden:          {Name: page.Forbidden},
		http.StatusServiceUnavailable: {Name: page.Unavailable, Cause: "store", RetryAfter: storeRetry},
	}[status]
	answer.Status = status
	g.deps.Pages.Write(w, r, answer)
}

// question is what is asked: about a path, or only whether somebody is logged in.
type question struct {
	host, method string
	path         *Path
	doors        Doors
	groups       []string
}

func (g *Gate) question(r *http.Request) (question, bool) {
	q := question{host: inbound.Of(r).Site.Host, method: http.MethodGet}
	raw := r.URL.RawQuery
	if strings.ContainsAny(raw, ";?#") {
		return q, false
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, false
	}
	for name, list := range values {
		if len(list) != 1 || (name != "groups" && name != "path") {
			return q, false
		}
	}
	if values.Has("groups") {
		q.groups = strings.Split(values.Get("groups"), ",")
		if slices.Contains(q.groups, "") {
			return q, false
		}
	}
	if values.Has("path") {
		p, err := ParsePath(values.Get("path"))
		if err != nil {
			return q, false
		}
		q.path = &p
	}
	return g.forwarded(r, q)
}

// forwarded takes the question from X-Forwarded-*, which counts from trusted proxies only. Header and query together are two
// questions, and one of them may be the client's.
func (g *Gate) forwarded(r *http.Request, q question) (question, bool) {
	if !inbound.Of(r).Trusted {
		return q, true
	}
	uri := r.Header.Values("X-Forwarded-Uri")
	if len(uri) == 0 {
		return q, true
	}
	if len(uri) > 1 || q.path != nil || strings.IndexByte(uri[0], '#') >= 0 {
		return q, false
	}
	raw, query, _ := strings.Cut(uri[0], "?")
	p, err := ParsePath(raw)
	if err != nil {
		return q, false
	}
	q.path, q.doors = &p, ParseDoors(query)
	if m := r.Header.Values("X-Forwarded-Method"); len(m) > 1 {
		return q, false
	} else if len(m) == 1 {
		q.method = m[0]
	}
	h := r.Header.Values("X-Forwarded-Host")
	if len(h) == 0 {
		return q, true
	}
	q.host = strings.TrimSuffix(strings.ToLower(h[0]), ".")
	known := slices.ContainsFunc(g.deps.Sites, func(s *inbound.Site) bool { return s.Host == q.host })
	return q, len(h) == 1 && known
}

func (g *Gate) answer(r *http.Request, q question) int {
	s, err := g.deps.Peek(r)
	if err != nil && !errors.Is(err, session.ErrNone) {
		inbound.Of(r).Outcome.Err = err
		return http.StatusServiceUnavailable
	}
	status := g.admits(q, s)
	if status == http.StatusForbidden && s != nil { // somebody was turned away: the audit wants to know whom
		o := &inbound.Of(r).Outcome
		o.Decision, o.SessionRef, o.Email = string(Forbid), s.Ref, s.Email
	}
	return status
}

func (g *Gate) admits(q question, s *session.Session) int {
	if q.path == nil {
		return admit(s, q.groups, s != nil)
	}
	d := g.rules.Match(q.host, *q.path).Decide(q.method, q.doors, s, g.deps.Now())
	switch d.Kind {
	case Public:
		if q.groups == nil {
			return http.StatusAccepted
		}
		return admit(s, q.groups, s != nil)
	case Allow:
		return admit(s, q.groups, true)
	case Login:
		return http.StatusUnauthorized
	}
	return http.StatusForbidden
}

func admit(s *session.Session, groups []string, ok bool) int {
	switch {
	case !ok || s == nil:
		return http.StatusUnauthorized
	case groups != nil && !s.HasGroup(groups...):
		return http.StatusForbidden
	}
	return http.StatusAccepted
}
