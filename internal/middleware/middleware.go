package middleware

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy"
)

// The words of the rule label that name no rule.
const (
	RuleNone    = "_none" // answered before any rule was asked
	RuleGateway = proxy.GatewayRule
)

// Chain is what every request passes before a rule is asked: each step may answer, else it hands on to the next.
type Chain struct {
	Pages    *page.Pages
	Log      *slog.Logger
	Warnings *Warnings
	Ask      string // the path of forward-auth: its answer is for the server that asks, never a redirect
}

// Recovered turns a panic into the 500 page, or breaks off the answer that was begun, so that one request's bug is
// one request's fault.
func (f *Chain) Recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { // how a handler cuts the connection on purpose
				panic(v)
			}
			f.Log.ErrorContext(r.Context(), "panic in a handler", "panic", v, "stack", string(debug.Stack()))
			inbound.Of(r).Outcome.Set(RuleNone, "error", "panic")
			if rec, ok := w.(*Recorder); ok && rec.status != 0 { // a page behind half of another would look complete
				panic(http.ErrAbortHandler)
			}
			f.Pages.Write(w, r, page.Page{Name: page.InternalError, Status: http.StatusInternalServerError})
		}()
		next.ServeHTTP(w, r)
	})
}

// Host lets only requests for a public host through. Anything else is answered before it can steer a redirect or a cookie
// (host header poisoning, HS-03).
func (f *Chain) Host(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		facts := inbound.Of(r)
		switch {
		case facts.Site != nil:
			next.ServeHTTP(w, r)
		case facts.RedirectTo != nil:
			inbound.Of(r).Outcome.Set(RuleNone, "refuse", "redirect_host")
			Redirect(w, facts.RedirectTo, r)
		case r.Host == "": // HTTP/1.0 without Host (PB-27)
			inbound.Of(r).Outcome.Set(RuleNone, "refuse", "no_host")
			w.Header().Set("Connection", "close")
			f.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: "no_host"})
		default:
			inbound.Of(r).Outcome.Set(RuleNone, "refuse", "host")
			f.Pages.Write(w, r, page.Page{Name: page.Misdirected, Status: http.StatusMisdirectedRequest})
		}
	})
}

// SchemeCookie proves that the visitor came by https: a browser keeps and sends a __Secure- cookie only there.
const SchemeCookie = "__Secure-hubgate-https"

// Scheme brings visitors of an https site from http to https. A balancer that says http although the visitor came by https would
// make that an endless redirect: the cookie of the first one tells, and then a page names the balancer's mistake.
func (f *Chain) Scheme(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		facts := inbound.Of(r)
		f.Warnings.look(facts)
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
		http.SetCookie(w, &http.Cookie{Name: SchemeCookie, Value: "1", Path: "/", MaxAge: 60, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		Redirect(w, facts.Site, r)
	})
}

// Canonical judges the target's spelling: whatever has more than one reading is refused, and everybody behind sees only the one.
func (f *Chain) Canonical(next func(http.ResponseWriter, *http.Request, proxy.Path)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, err := proxy.ParseTarget(r)
		if err != nil {
			reason := "path"
			if bad := (*proxy.PathError)(nil); errors.As(err, &bad) {
				reason = bad.Reason
			}
			inbound.Of(r).Outcome.Set(RuleNone, "refuse", reason)
			f.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: reason})
			return
		}
		next(w, r, path)
	})
}

// Redirect sends the visitor to the same path and query of another origin. The origin is from the configuration and ends in its
// host, so a target such as //evil stays a path (OR-08).
func Redirect(w http.ResponseWriter, to *inbound.Site, r *http.Request) {
	target := r.RequestURI
	if !strings.HasPrefix(target, "/") {
		target = "/"
	}
	w.Header().Set("Location", to.Origin()+target)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusPermanentRedirect)
}
