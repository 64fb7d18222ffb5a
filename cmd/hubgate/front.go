package main

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
	ruleNone    = "_none" // answered before any rule was asked
	ruleGateway = proxy.GatewayRule
)

// front is what every request passes before a rule is asked: each step may answer, else it hands on to the next.
type front struct {
	pages    *page.Pages
	log      *slog.Logger
	warnings *frontWarnings
	ask      string // the path of forward-auth: its answer is for the server that asks, never a redirect
}

// recovered turns a panic into the 500 page, or breaks off the answer that was begun, so that one request's bug is
// one request's fault.
func (f *front) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { // how a handler cuts the connection on purpose
				panic(v)
			}
			f.log.ErrorContext(r.Context(), "panic in a handler", "panic", v, "stack", string(debug.Stack()))
			outcome(r, ruleNone, "error", "panic")
			if rec, ok := w.(*recorder); ok && rec.status != 0 { // a page behind half of another would look complete
				panic(http.ErrAbortHandler)
			}
			f.pages.Write(w, r, page.Page{Name: page.InternalError, Status: http.StatusInternalServerError})
		}()
		next.ServeHTTP(w, r)
	})
}

// host lets only requests for a public host through. Anything else is answered before it can steer a redirect or a cookie
// (host header poisoning, HS-03).
func (f *front) host(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		facts := inbound.Of(r)
		switch {
		case facts.Site != nil:
			next.ServeHTTP(w, r)
		case facts.RedirectTo != nil:
			outcome(r, ruleNone, "refuse", "redirect_host")
			redirect(w, facts.RedirectTo, r)
		case r.Host == "": // HTTP/1.0 without Host (PB-27)
			outcome(r, ruleNone, "refuse", "no_host")
			w.Header().Set("Connection", "close")
			f.pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: "no_host"})
		default:
			outcome(r, ruleNone, "refuse", "host")
			f.pages.Write(w, r, page.Page{Name: page.Misdirected, Status: http.StatusMisdirectedRequest})
		}
	})
}

// schemeCookie proves that the visitor came by https: a browser keeps and sends a __Secure- cookie only there.
const schemeCookie = "__Secure-hubgate-https"

// scheme brings visitors of an https site from http to https. A balancer that says http although the visitor came by https would
// make that an endless redirect: the cookie of the first one tells, and then a page names the balancer's mistake.
func (f *front) scheme(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		facts := inbound.Of(r)
		f.warnings.look(facts)
		if !facts.Site.Secure() || facts.Scheme != "http" || !facts.Trusted || r.URL.Path == f.ask {
			next.ServeHTTP(w, r)
			return
		}
		if cookie, err := r.Cookie(schemeCookie); err == nil && cookie.Value == "1" {
			outcome(r, ruleNone, "refuse", "scheme")
			f.pages.Write(w, r, page.Page{Name: page.Scheme, Status: http.StatusBadRequest, Cause: "scheme"})
			return
		}
		outcome(r, ruleNone, "refuse", "scheme_redirect")
		http.SetCookie(w, &http.Cookie{Name: schemeCookie, Value: "1", Path: "/", MaxAge: 60, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		redirect(w, facts.Site, r)
	})
}

// canonical judges the target's spelling: whatever has more than one reading is refused, and everybody behind sees only the one.
func (f *front) canonical(next func(http.ResponseWriter, *http.Request, proxy.Path)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, err := proxy.ParseTarget(r)
		if err != nil {
			reason := "path"
			if bad := (*proxy.PathError)(nil); errors.As(err, &bad) {
				reason = bad.Reason
			}
			outcome(r, ruleNone, "refuse", reason)
			f.pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: reason})
			return
		}
		next(w, r, path)
	})
}

// redirect sends the visitor to the same path and query of another origin. The origin is from the configuration and ends in its
// host, so a target such as //evil stays a path (OR-08).
func redirect(w http.ResponseWriter, to *inbound.Site, r *http.Request) {
	target := r.RequestURI
	if !strings.HasPrefix(target, "/") {
		target = "/"
	}
	w.Header().Set("Location", to.Origin()+target)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusPermanentRedirect)
}

// outcome notes for the log line and the metrics how a request was judged outside the gate.
func outcome(r *http.Request, rule, decision, reason string) {
	o := &inbound.Of(r).Outcome
	o.Rule, o.Decision, o.Reason = rule, decision, reason
}
