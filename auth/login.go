package auth

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/session"
)

// start begins a login by a link: /oauth2/start?rd=/path. More than one rd is none (OR-13).
func (h *Handler) start(w http.ResponseWriter, r *http.Request) {
	if prefetches(r) { // begins nothing (CA-07)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	returnTo := "/"
	if q, err := url.ParseQuery(r.URL.RawQuery); err == nil && len(q["rd"]) == 1 {
		returnTo = cleanReturn(q.Get("rd"), h.cfg.Prefix)
	}
	h.begin(w, r, login{returnTo: returnTo})
}

// Begin answers a navigation to a protected page with a login, or with the page that names the cause of a loop. maxAge > 0 asks the
// provider to ask again, for the session is older than the rule wants.
func (h *Handler) Begin(w http.ResponseWriter, r *http.Request, why session.Reason, maxAge time.Duration) {
	returnTo := cleanReturn(r.URL.RequestURI(), h.cfg.Prefix)
	if cause := h.loops(w, r, why, returnTo); cause != "" {
		inbound.Of(r).Outcome.Login = true
		h.deps.Metrics.loops.WithLabelValues(cause).Inc()
		note(r, "loop_"+cause, nil)
		h.deps.Pages.Write(w, r, page.Page{
			Name: page.Loop, Status: http.StatusBadRequest, Cause: cause,
			Links: []page.Link{{Label: page.LabelRetry, URL: h.startURL(returnTo)}, {Label: page.LabelHome, URL: "/"}},
		})
		return
	}
	h.begin(w, r, login{returnTo: returnTo, prompt: maxAge > 0, maxAge: maxAge})
}

// login is what a begun login asks for.
type login struct {
	returnTo string
	retries  byte
	prompt   bool          // the provider must ask again
	maxAge   time.Duration // for providers that know max_age; 0 = any
}

// begin sends the visitor to the provider. Nothing of the request reaches the authorize URL, except by the state (RP-30).
func (h *Handler) begin(w http.ResponseWriter, r *http.Request, l login) {
	if wait := h.deps.Limiter.wait(h.cfg.LoginRate, inbound.Of(r), h.deps.Now()); wait > 0 {
		note(r, "login_rate", nil)
		h.deps.Pages.Write(w, r, page.Page{Name: page.TooMany, Status: http.StatusTooManyRequests, RetryAfter: wait})
		return
	}
	e, err := h.deps.Provider.endpoints(r.Context())
	if err != nil {
		note(r, "provider", err)
		inbound.Of(r).Outcome.Login = true
		h.unavailable(w, r, causeUnreachable, h.startURL(l.returnTo))
		return
	}
	site, now := inbound.Of(r).Site, h.deps.Now()
	st := newState(h.deps.Ring, l.retries, now)
	a := newAttempt(st, now)
	a.ReturnTo, a.Host, a.Issuer, a.ClientID, a.Prompted = l.returnTo, site.Host, h.deps.Provider.Issuer(), h.deps.Provider.ClientID(), l.prompt
	a.Trace = inbound.Of(r).Traceparent
	h.keepAttempt(w, r, st, a)
	h.deps.Metrics.started.Inc()
	h.redirect(w, h.deps.Provider.oauth(e, h.redirectURI(site)).AuthCodeURL(st.text, h.params(a, l)...))
}

func (h *Handler) redirectURI(site *inbound.Site) string {
	return site.Origin() + h.cfg.Prefix + "/callback"
}

func (h *Handler) params(a *attempt, l login) []oauth2.AuthCodeOption {
	var options []oauth2.AuthCodeOption
	for name, value := range h.cfg.AuthorizeParams {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	options = append(options, oauth2.SetAuthURLParam("nonce", a.Nonce), oauth2.S256ChallengeOption(a.Verifier))
	if l.prompt {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
		if l.maxAge > 0 && !h.cfg.cognito() {
			options = append(options, oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(math.Ceil(l.maxAge.Seconds())))))
		}
	}
	return options
}

func prefetches(r *http.Request) bool {
	return r.Header.Get("Sec-Purpose") != "" || r.Header.Get("Purpose") != "" || r.Header.Get("X-Moz") != ""
}

func queryEscape(text string) string { return url.QueryEscape(text) }
