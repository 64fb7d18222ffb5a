package auth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/session"
)

// returnCookie remembers, over the provider's logout, the page for which somebody wants to use another account.
const returnCookie = "hubgate-return"

const returnKept = 10 * time.Minute

// signOut ends the session, here and at the provider. It works without a valid session, and nobody else's page can trigger it.
func (h *Handler) signOut(w http.ResponseWriter, r *http.Request) {
	if prefetches(r) {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			h.refuseBody(w, r, err)
			return
		}
	}
	if !h.maySignOut(r) {
		h.deps.Pages.Write(w, r, page.Page{
			Name: page.SignOut, Status: http.StatusOK, Forms: []page.Form{h.askedFor(r)}, FormOrigins: h.FormOrigins(),
			Links: []page.Link{{Label: page.LabelHome, URL: "/"}},
		})
		return
	}
	h.end(w, r)
}

// askedFor is the button that does what could not be done without asking.
func (h *Handler) askedFor(r *http.Request) page.Form {
	if r.PostForm.Get("everywhere") == "1" {
		return h.signOutForm(r, page.LabelLogoutAll, []page.Field{{Name: "everywhere", Value: "1"}})
	}
	return h.signOutForm(r, page.LabelLogout, nil)
}

// maySignOut: a GET only as a navigation from our own pages; a POST from our own pages, or, of a browser that does not say whence it
// comes, with the button's token (XS-04: logout by an image or a form of somebody else's, who may have fetched a token of their own).
func (h *Handler) maySignOut(r *http.Request) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case r.Method != http.MethodPost:
		return site == "same-origin" && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	case site != "" && site != "none":
		return site == "same-origin"
	case origin != "" && origin != "null":
		return origin == inbound.Of(r).Site.Origin()
	}
	return h.formToken(r, r.PostForm.Get("token"))
}

// end ends the session, gives the refresh token back and goes through the provider's logout: without that the visitor would be back
// in without a password.
func (h *Handler) end(w http.ResponseWriter, r *http.Request) {
	end, everywhere := h.deps.Sessions.End, r.PostForm.Get("everywhere") == "1"
	if everywhere {
		end = h.deps.Sessions.EndEverywhere
	}
	s, err := end(w, r)
	h.deps.OnLogout(w, r)
	h.setCookie(w, r, hostPrefix(r)+loopCookie, "", 0) // a sign-out is no loop
	if page := r.PostForm.Get("rd"); page != "" {
		name := hostPrefix(r) + returnCookie
		value := h.sealCookie(seal.ReturnPage, name, kept{cleanReturn(page, h.cfg.Prefix), h.deps.Now()})
		h.setCookie(w, r, name, value, returnKept)
	}
	if s != nil {
		inbound.Of(r).Outcome.SessionRef = s.Ref
		if everywhere {
			h.endEverywhere(r, s)
		}
		h.deps.Provider.Revoke(r.Context(), s.Tokens.Refresh)
	}
	location, kind := h.deps.Provider.logoutURL(r, inbound.Of(r).Site, h.cfg.Prefix, s)
	h.deps.Metrics.logouts.WithLabelValues(kind).Inc()
	h.audit(r, kind, s, err)
	w.Header().Set("Clear-Site-Data", `"cache"`) // the back button shows nothing that was kept (CA-06)
	h.redirect(w, location)
}

// audit writes down a logout that ended a session. One that Redis did not take is pending: the session's end is tried until it does.
func (h *Handler) audit(r *http.Request, kind string, s *session.Session, err error) {
	attrs := []any{"action", "logout", "outcome", "success", "kind", kind, "client", inbound.Of(r).Client.String()}
	switch {
	case errors.Is(err, session.ErrNoSession):
		return
	case err != nil:
		attrs[3] = "pending"
	}
	if s != nil {
		attrs = append(attrs, "session", s.Ref, "email", s.Email)
	}
	h.deps.Audit.InfoContext(r.Context(), "logout", attrs...)
}

type kept struct {
	Page string    `json:"p"`
	At   time.Time `json:"t"`
}

func (h *Handler) endEverywhere(r *http.Request, s *session.Session) {
	n, err := h.deps.Ender.EndUser(r.Context(), s.Issuer, s.Subject)
	if err != nil {
		h.deps.Log.ErrorContext(r.Context(), "log out everywhere: some sessions may be left", "error", err, "session", s.Ref)
		return
	}
	h.deps.Metrics.logouts.WithLabelValues("everywhere").Inc()
	h.deps.Audit.InfoContext(r.Context(), "logout", "action", "logout", "outcome", "success", "kind", "everywhere", "count", n,
		"client", inbound.Of(r).Client.String(), "session", s.Ref, "email", s.Email)
}

// logoutKind is how the provider's own session is ended.
func (p *Provider) logoutKind(e *endpoints) string {
	switch {
	case p.cfg.Logout != "auto":
		return p.cfg.Logout
	case p.cfg.cognito():
		return "cognito"
	case e.Logout != "":
		return "oidc"
	}
	return "local"
}

// logoutURL is where the visitor goes to end the provider's session: Cognito's own form, which is not OpenID's, or RP-initiated
// logout. While the provider is away the logout ends here.
func (p *Provider) logoutURL(r *http.Request, site *inbound.Site, prefix string, s *session.Session) (location, kind string) {
	back := site.Origin() + prefix + "/signed_out"
	e, err := p.endpoints(r.Context())
	if err != nil {
		return back, "local"
	}
	kind = p.logoutKind(e)
	address, q := e.Logout, url.Values{"client_id": {p.cfg.ClientID}}
	switch kind {
	case "cognito":
		if address == "" {
			address = originOf(e.Authorize) + "/logout"
		}
		q.Set("logout_uri", back)
	case "oidc":
		q.Set("post_logout_redirect_uri", back)
		if s != nil && s.Tokens.ID != "" {
			q.Set("id_token_hint", s.Tokens.ID)
		}
	}
	if kind == "local" || address == "" {
		return back, "local"
	}
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + q.Encode(), kind
}

// signedOut is where the provider's logout comes back to: the page, or the login for which another account was wanted.
func (h *Handler) signedOut(w http.ResponseWriter, r *http.Request) {
	name := hostPrefix(r) + returnCookie
	var k kept
	if c := r.CookiesNamed(name); len(c) == 1 && inbound.Navigates(r) {
		h.setCookie(w, r, name, "", 0)
		if h.openCookie(seal.ReturnPage, name, c[0].Value, &k) && h.deps.Now().Sub(k.At) < returnKept {
			h.begin(w, r, login{returnTo: k.Page, prompt: true})
			return
		}
	}
	home := page.Link{Label: page.LabelHome, URL: "/"}
	if h.cfg.AfterLogout != "" {
		home = page.Link{Label: page.LabelContinue, URL: h.cfg.AfterLogout}
	}
	h.deps.Pages.Write(w, r, page.Page{
		Name: page.SignedOut, Status: http.StatusOK, Links: []page.Link{{Label: page.LabelLogin, URL: h.startURL("/")}, home},
	})
}

// SwitchForm is the button "use another account", which really switches: it signs out here and at the provider, and begins a login to
// the page that was refused.
func (h *Handler) SwitchForm(r *http.Request) page.Form {
	rd := "/"
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		rd = cleanReturn(r.URL.RequestURI(), h.cfg.Prefix)
	}
	return h.signOutForm(r, page.LabelUseOther, []page.Field{{Name: "rd", Value: rd}})
}

func (h *Handler) signOutForm(r *http.Request, label page.Label, fields []page.Field) page.Form {
	return page.Form{Label: label, Action: h.cfg.Prefix + "/sign_out", Fields: append(fields, page.Field{Name: "token", Value: h.newFormToken(r)})}
}

// FormOrigins are where a button's redirects may lead: browsers hold forms to it (CSP form-action), all the way. The
// provider may send the visitor on, to end or begin the session at a SAML or OpenID provider behind it, and nobody here
// knows where: any https address may follow. What is lost is little: these pages show nothing from outside unescaped,
// so that nobody can put a form into them.
func (h *Handler) FormOrigins() []string {
	p := h.deps.Provider
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		return nil
	}
	var origins []string
	beyond := "https:"
	for _, address := range []string{p.found.Authorize, p.found.Logout} {
		if o := originOf(address); o != "" && (len(origins) == 0 || origins[0] != o) {
			origins = append(origins, o)
		}
		if strings.HasPrefix(address, "http://") { // a provider on this machine: safeEndpoint allows no other
			beyond = "http:" // https too (CSP3, section 6.7.2.8)
		}
	}
	return append(origins, beyond)
}

const formTokenTime = time.Hour

// pass is what a button's token says: when it was made, and for which session. Without the latter anybody could fetch one for
// everybody.
type pass struct {
	At  int64  `json:"t"`
	Ref string `json:"s,omitempty"`
}

// newFormToken vouches for one hour that a button is ours: sealed, bound to the host and to the browser's session.
func (h *Handler) newFormToken(r *http.Request) string {
	return h.sealCookie(seal.FormToken, inbound.Of(r).Site.Host, pass{h.deps.Now().Unix(), h.refOf(r)})
}

func (h *Handler) formToken(r *http.Request, token string) bool {
	var p pass
	if token == "" || !h.openCookie(seal.FormToken, inbound.Of(r).Site.Host, token, &p) {
		return false
	}
	return p.Ref == h.refOf(r) && h.deps.Now().Sub(time.Unix(p.At, 0)) < formTokenTime
}

// refOf names the browser's session; "" when there is none, or Redis cannot tell.
func (h *Handler) refOf(r *http.Request) string {
	s, err := h.deps.Sessions.Peek(r)
	if err != nil {
		return ""
	}
	return s.Ref
}
