package middleware

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Values of the rule label that are not the name of a rule.
const (
	RuleNone    = "_none" // decided before the rules
	RuleGateway = rules.GatewayRule
)

// Chain holds the steps that every request passes before the rules are evaluated. Each step responds or calls the next.
type Chain struct {
	Pages    *page.Pages
	Log      *slog.Logger
	Warnings *Warnings
	Ask      string // path of forward auth, which is never redirected: its response is for the proxy in front
}

// Recovered responds to a panic with the 500 page, or aborts the response if it has begun, so that a bug fails one
// request only.
func (f *Chain) Recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { // a handler aborts the connection on purpose
				panic(v)
			}
			f.Log.ErrorContext(r.Context(), "panic in a handler", "panic", v, "stack", string(debug.Stack()))
			inbound.Of(r).Outcome.Set(RuleNone, "error", "panic")
			if rec, ok := w.(*Recorder); ok && rec.status != 0 { // a page after half of another would look complete
				panic(http.ErrAbortHandler)
			}
			f.Pages.Write(w, r, page.Page{Name: page.InternalError, Status: http.StatusInternalServerError})
		}()
		next.ServeHTTP(w, r)
	})
}

// Host passes only requests for a public host to next. It responds to others itself, before the Host can get into a
// redirect or a cookie (Host header injection, CWE-644).
func (f *Chain) Host(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		facts := inbound.Of(r)
		switch {
		case facts.Site != nil:
			next.ServeHTTP(w, r)
		case facts.RedirectTo != nil:
			inbound.Of(r).Outcome.Set(RuleNone, "refuse", "redirect_host")
			Redirect(w, facts.RedirectTo, r)
		case r.Host == "": // HTTP/1.0 without a Host header
			inbound.Of(r).Outcome.Set(RuleNone, "refuse", "no_host")
			w.Header().Set("Connection", "close")
			f.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: "no_host"})
		default:
			inbound.Of(r).Outcome.Set(RuleNone, "refuse", "host")
			f.Pages.Write(w, r, page.Page{Name: page.Misdirected, Status: http.StatusMisdirectedRequest})
		}
	})
}

// SchemeCookie shows that the visitor uses https: browsers store and send a __Secure- cookie over https only.
const SchemeCookie = "__Secure-hubgate-https"

// Scheme redirects visitors of an https site from http to https. If a load balancer reports http although the visitor
// uses https, that would be an endless redirect: SchemeCookie detects it, and a page names the mistake.
func (f *Chain) Scheme(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		facts := inbound.Of(r)
		f.Warnings.check(facts)
		if !facts.Site.Secure() || facts.Scheme != "http" || !facts.Trusted || r.URL.Path == f.Ask {
			next.ServeHTTP(w, r)
			return
		}
		if cookie, err := r.Cookie(SchemeCookie); err == nil && cookie.Value == "1" {
			inbound.Of(r).Outcome.Set(RuleNone, "refuse", "scheme")
			f.Pages.Write(w, r, page.Page{Name: page.Scheme, Status: http.StatusBadRequest, Cause: "scheme"})
			return
		}
		inbound.Of(r).Outcome.Set(RuleNone, "refuse", "scheme_redirect")
		http.SetCookie(w, &http.Cookie{
			Name: SchemeCookie, Value: "1", Path: "/", MaxAge: 60, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		Redirect(w, facts.Site, r)
	})
}

// Canonical parses the request target. A target that could be read in more than one way is refused, so that the rules
// and the origin see the same path.
func (f *Chain) Canonical(next func(http.ResponseWriter, *http.Request, urlpath.Path)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, err := urlpath.ParseTarget(r)
		if err != nil {
			reason := "path"
			if bad := (*urlpath.Error)(nil); errors.As(err, &bad) {
				reason = bad.Reason
			}
			inbound.Of(r).Outcome.Set(RuleNone, "refuse", reason)
			f.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: reason})
			return
		}
		next(w, r, path)
	})
}

// Redirect redirects to the same path and query of another site. The target follows the site's full origin, so that
// //evil.example stays a path (open redirect, CWE-601).
func Redirect(w http.ResponseWriter, to *inbound.Site, r *http.Request) {
	target := r.RequestURI
	if !strings.HasPrefix(target, "/") {
		target = "/"
	}
	w.Header().Set("Location", to.Origin()+target)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusPermanentRedirect)
}
