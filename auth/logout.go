package auth

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/session"
)

// logout logs visitors out, here and at the provider.
type logout struct {
	cfg     Config
	deps    Deps
	cookies cookies
	loops   loops
	tokens  formTokens
}

// serve ends the session if the request comes from the gateway's own pages, and shows a button otherwise. It works
// without a valid session.
func (l *logout) serve(w http.ResponseWriter, r *http.Request) {
	if prefetched(w, r) {
		return
	}
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			l.deps.Pages.Write(w, r, invalidForm(err))
			return
		}
	}
	if !l.allowed(r) {
		l.deps.Pages.Write(w, r, page.Page{
			Name: page.SignOut, Status: http.StatusOK, Forms: []page.Form{l.confirmForm(r)},
			FormOrigins: l.formOrigins(), Links: []page.Link{{Label: page.LabelHome, URL: "/"}},
		})
		return
	}
	l.end(w, r)
}

// allowed reports whether the request comes from the gateway's own pages: a GET only as their navigation, and a POST
// from them, or with a button's token if the browser does not send its origin. Other sites must not log visitors out
// with an image or a form (logout CSRF, CWE-352).
func (l *logout) allowed(r *http.Request) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case r.Method != http.MethodPost:
		return site == "same-origin" && inbound.Navigates(r)
	case site != "" && site != "none":
		return site == "same-origin"
	case origin != "" && origin != "null":
		return origin == inbound.Of(r).Site.Origin()
	}
	return l.tokens.valid(r, r.PostForm.Get("token"))
}

// end ends the session, revokes the refresh token and redirects to the provider's logout. Without the latter the
// visitor would be logged in again without a password.
func (l *logout) end(w http.ResponseWriter, r *http.Request) {
	end, everywhere := l.deps.Sessions.End, r.PostForm.Get("everywhere") == "1"
	if everywhere {
		end = l.deps.Sessions.EndEverywhere
	}
	s, err := end(w, r)
	l.deps.OnLogout(w, r)
	l.loops.forget(w, r)
	if rd := r.PostForm.Get("rd"); rd != "" {
		l.cookies.write(w, r, returnCookie, returnPage{cleanReturn(rd, l.cfg.Prefix), l.deps.Now()})
	}
	idToken := ""
	if s != nil {
		idToken = s.Tokens.ID
		inbound.Of(r).Outcome.SessionRef = s.Ref
		if everywhere {
			l.endEverywhere(r, s)
		}
		l.deps.Provider.Revoke(r.Context(), s.Tokens.Refresh)
	}
	back := inbound.Of(r).Site.Origin() + l.cfg.Prefix + "/signed_out"
	location, kind := l.deps.Provider.LogoutURL(r.Context(), back, idToken)
	l.deps.Metrics.logouts.WithLabelValues(kind).Inc()
	l.audit(r, kind, s, err)
	w.Header().Set("Clear-Site-Data", `"cache"`) // the back button must not show cached pages (CWE-525)
	redirect(w, location)
}

func (l *logout) endEverywhere(r *http.Request, s *session.Session) {
	n, err := l.deps.Ender.EndUser(r.Context(), s.Issuer, s.Subject)
	if err != nil {
		l.deps.Log.ErrorContext(r.Context(), "log out everywhere: some sessions may not have ended",
			"error", err, "session", s.Ref)
		return
	}
	l.deps.Metrics.logouts.WithLabelValues("everywhere").Inc()
	l.deps.Audit.InfoContext(r.Context(), "logout", "action", "logout", "outcome", "success", "kind", "everywhere",
		"count", n, "client", inbound.Of(r).Client.String(), "session", s.Ref, "email", s.Email)
}

// audit logs a logout that ended a session. If Redis did not confirm it, the outcome is pending, and the end is
// retried.
func (l *logout) audit(r *http.Request, kind string, s *session.Session, err error) {
	outcome := "success"
	switch {
	case errors.Is(err, session.ErrNoSession):
		return
	case err != nil:
		outcome = "pending"
	}
	attrs := []any{"action", "logout", "outcome", outcome, "kind", kind, "client", inbound.Of(r).Client.String()}
	if s != nil {
		attrs = append(attrs, "session", s.Ref, "email", s.Email)
	}
	l.deps.Audit.InfoContext(r.Context(), "logout", attrs...)
}

// confirmForm returns the button that repeats a logout which was not allowed.
func (l *logout) confirmForm(r *http.Request) page.Form {
	if r.PostForm.Get("everywhere") == "1" {
		return l.everywhereForm(r)
	}
	return l.form(r, page.LabelLogout, nil)
}

func (l *logout) everywhereForm(r *http.Request) page.Form {
	return l.form(r, page.LabelLogoutAll, []page.Field{{Name: "everywhere", Value: "1"}})
}

func (l *logout) switchForm(r *http.Request) page.Form {
	rd := "/"
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		rd = cleanReturn(r.URL.RequestURI(), l.cfg.Prefix)
	}
	return l.form(r, page.LabelUseOther, []page.Field{{Name: "rd", Value: rd}})
}

func (l *logout) form(r *http.Request, label page.Label, fields []page.Field) page.Form {
	return page.Form{
		Label: label, Action: l.cfg.Prefix + "/sign_out",
		Fields: append(fields, page.Field{Name: "token", Value: l.tokens.issue(r)}),
	}
}

// formOrigins returns the origins that redirects after a button may lead to: browsers apply form-action to all of them.
// The provider may redirect on to a SAML or OpenID provider behind it, whose address is unknown here, so any https
// origin is allowed. The risk is small: the pages escape everything from outside, so no form can be injected.
func (l *logout) formOrigins() []string {
	origins := l.deps.Provider.Origins()
	if origins == nil {
		return nil
	}
	for _, origin := range origins {
		if strings.HasPrefix(origin, "http://") { // a provider on this machine
			return append(origins, "http:") // includes https (CSP level 3, section 6.7.2.8)
		}
	}
	return append(origins, "https:")
}

// returnPage is the page for which a visitor wants to use another account. It survives the provider's logout in a
// cookie.
type returnPage struct {
	Page string    `json:"p"`
	At   time.Time `json:"t"`
}

// takeReturn returns the page for which a login with another account is to begin, once.
func (l *logout) takeReturn(w http.ResponseWriter, r *http.Request) (string, bool) {
	if len(r.CookiesNamed(hostPrefix(r)+returnCookie.name)) != 1 || !inbound.Navigates(r) {
		return "", false
	}
	l.cookies.clear(w, r, returnCookie)
	var p returnPage
	ok := l.cookies.read(r, returnCookie, &p) && l.deps.Now().Sub(p.At) < returnCookie.age
	return p.Page, ok
}
