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
	if prefetches(r) { // begins nothing
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	l := login{returnTo: "/"}
	if q, err := url.ParseQuery(r.URL.RawQuery); err == nil && len(q["rd"]) == 1 {
		l.returnTo, l.shortened = keepReturn(q.Get("rd"), h.cfg.Prefix)
	}
	h.begin(w, r, l)
}

// Begin answers a navigation to a protected page with a login, or with the page that names the cause of a loop. maxAge > 0 asks the
// provider to ask again, for the session is older than the rule wants.
func (h *Handler) Begin(w http.ResponseWriter, r *http.Request, why session.Reason, maxAge time.Duration) {
	returnTo, shortened := keepReturn(r.URL.RequestURI(), h.cfg.Prefix)
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
	h.begin(w, r, login{returnTo: returnTo, shortened: shortened, prompt: maxAge > 0, maxAge: maxAge})
}

// login is what a begun login asks for.
type login struct {
	returnTo  string
	shortened bool // returnTo lost its query
	retries   byte
	prompt    bool          // the provider must ask again
	maxAge    time.Duration // for providers that know max_age; 0 = any
}

// begin sends the visitor to the provider. Nothing of the request reaches the authorize URL, except by the state. Every
// login begins here, whichever endpoint it came by: what is no navigation, such as another site's <img>, begins none
// (login CSRF, CWE-352), and does not use up what the people at its address may begin.
func (h *Handler) begin(w http.ResponseWriter, r *http.Request, l login) {
	if !inbound.Navigates(r) {
		note(r, "no_navigation", nil)
		h.loginRequired(w, r, l.returnTo)
		return
	}
	e, err := h.deps.Provider.endpoints(r.Context())
	if err != nil {
		note(r, "provider", err)
		inbound.Of(r).Outcome.Login = true
		h.unavailable(w, r, causeUnreachable, h.startURL(l.returnTo))
		return
	}
	if wait, first := h.deps.Limiter.wait(h.cfg.LoginRate, inbound.Of(r), h.deps.Now()); wait > 0 {
		inbound.Of(r).Outcome.Login = first // one audit line is enough
		h.tooMany(w, r, l, wait)
		return
	}
	site, now := inbound.Of(r).Site, h.deps.Now()
	st := newState(h.deps.Ring, l.retries, now)
	a := newAttempt(st, now)
	a.ReturnTo, a.Shortened, a.Prompted, a.Trace = l.returnTo, l.shortened, l.prompt, inbound.Of(r).Traceparent
	a.Host, a.Issuer, a.ClientID = site.Host, h.deps.Provider.Issuer(), h.deps.Provider.ClientID()
	h.keepAttempt(w, r, st, a)
	h.deps.Metrics.started.Inc()
	h.redirect(w, h.deps.Provider.oauth(e, h.redirectURI(site)).AuthCodeURL(st.text, h.params(a, l)...))
}

// tooMany answers an address that began too many logins: whoever is logged in by now goes on to the page, and everybody
// else gets a link that begins the same login later. An office behind one address would be stuck without it.
func (h *Handler) tooMany(w http.ResponseWriter, r *http.Request, l login, wait time.Duration) {
	if _, err := h.deps.Sessions.Peek(r); err == nil && !l.prompt {
		inbound.Of(r).Outcome.Login = false
		h.redirect(w, l.returnTo)
		return
	}
	note(r, "login_rate", nil)
	h.deps.Pages.Write(w, r, page.Page{
		Name: page.TooMany, Status: http.StatusTooManyRequests, RetryAfter: wait,
		Links: []page.Link{{Label: page.LabelRetry, URL: h.startURL(l.returnTo)}, {Label: page.LabelHome, URL: "/"}},
	})
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
