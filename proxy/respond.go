package proxy

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

// unavailable is the page for a request whose session cannot be loaded.
func unavailable() page.Page {
	return page.Page{
		Name: page.Unavailable, Status: http.StatusServiceUnavailable, Cause: "store", RetryAfter: storeRetry,
	}
}

// login sends a top-level navigation to the provider. Everything else gets 401: a script, a frame or a form cannot log
// in.
func (g *Gate) login(w http.ResponseWriter, r *http.Request, p urlpath.Path, v visit) {
	w.Header().Add("Vary", "Sec-Fetch-Mode, Sec-Fetch-Dest, Accept, Cookie")
	if !inbound.Navigates(r) || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
		g.loginRequired(w, r, p)
		return
	}
	if v.decision.MaxAge > 0 {
		v.reason = ""
	}
	g.deps.Login.Begin(w, r, v.reason, v.decision.MaxAge)
}

// loginRequired responds 401.
func (g *Gate) loginRequired(w http.ResponseWriter, r *http.Request, p urlpath.Path) {
	back := p.Escaped()
	if r.URL.RawQuery != "" {
		back += "?" + r.URL.RawQuery
	}
	loginURL := g.deps.AuthPrefix + "/start?rd=" + url.QueryEscape(back)
	response := page.Page{
		Name: page.LoginRequired, Status: http.StatusUnauthorized, LoginURL: loginURL,
		Links: []page.Link{{Label: page.LabelLogin, URL: loginURL}},
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && inbound.Navigates(r) {
		response.Name = page.NothingSaved
		response.Links = []page.Link{{Label: page.LabelBack, URL: back}}
	}
	g.deps.Pages.Write(w, r, response)
}

// forbid responds 403 to a user who is logged in and not admitted.
func (g *Gate) forbid(w http.ResponseWriter, r *http.Request, d rules.Decision, s *session.Session) {
	response := page.Page{
		Name: page.Forbidden, Status: http.StatusForbidden, Cause: d.Reason,
		Args:        map[string]string{"account": cmp.Or(s.Email, s.Name, s.Subject)},
		Forms:       []page.Form{g.deps.Login.SwitchForm(r)},
		FormOrigins: g.deps.Login.FormOrigins(),
		Links:       []page.Link{{Label: page.LabelHome, URL: "/"}},
	}
	if d.Reason == rules.ReasonStillOld {
		response.Name = page.LoginTooOld
	}
	g.deps.Pages.Write(w, r, response)
}

// refuse responds 403 or 405 to a request that is not admitted from any visitor.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, d rules.Decision) {
	response := page.Page{Name: page.Refused, Status: d.Status, Cause: d.Reason}
	if d.Status == http.StatusMethodNotAllowed {
		response = page.Page{Name: page.MethodRefused, Status: d.Status}
		w.Header().Set("Allow", d.Allow)
		closeAfter(w, r) // what follows an unexpected method may not be a request
	}
	g.deps.Pages.Write(w, r, response)
}
