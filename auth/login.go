package auth

import (
	"net/http"
	"net/url"
	"time"

	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/session"
)

// start begins a login by a link: /oauth2/start?rd=/path. A repeated rd is ignored (HTTP parameter pollution, CWE-235).
func (h *Handler) start(w http.ResponseWriter, r *http.Request) {
	if prefetched(w, r) {
		return
	}
	l := login{returnTo: "/"}
	if q, err := url.ParseQuery(r.URL.RawQuery); err == nil && len(q["rd"]) == 1 {
		l.returnTo, l.shortened = keepReturn(q.Get("rd"), h.cfg.Prefix)
	}
	h.begin(w, r, l)
}

// prefetched responds to a prefetch, which must not begin or end anything, with 204.
func prefetched(w http.ResponseWriter, r *http.Request) bool {
	if !inbound.FetchesAhead(r) {
		return false
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// Begin responds to a navigation to a protected page with a login, or with a page that shows the cause of a login loop.
// maxAge > 0 means that the session is older than the rule allows, and the provider must authenticate the user again.
func (h *Handler) Begin(w http.ResponseWriter, r *http.Request, reason session.Reason, maxAge time.Duration) {
	returnTo, shortened := keepReturn(r.URL.RequestURI(), h.cfg.Prefix)
	if cause := h.loops.check(w, r, reason, returnTo); cause != "" {
		inbound.Of(r).Outcome.Login = true
		h.replies.loop(w, r, cause, h.replies.retryOrHome(returnTo))
		return
	}
	h.begin(w, r, login{returnTo: returnTo, shortened: shortened, prompt: maxAge > 0, maxAge: maxAge})
}

// login describes a new login.
type login struct {
	returnTo  string
	shortened bool // returnTo lost its query
	retries   byte
	prompt    bool          // the provider must authenticate the user again
	maxAge    time.Duration // for providers that support max_age; 0 = any
}

// begin redirects the visitor to the provider. Every login begins here. A request that is not a navigation, such as
// another site's <img>, begins none (login CSRF, CWE-352), and does not count against the rate limit of its address.
func (h *Handler) begin(w http.ResponseWriter, r *http.Request, l login) {
	facts, now := inbound.Of(r), h.deps.Now()
	if !inbound.Navigates(r) {
		note(r, "no_navigation", nil)
		h.replies.loginRequired(w, r, l.returnTo)
		return
	}
	st := newState(h.deps.Ring, l.retries, now)
	a := h.newAttempt(st, facts, l)
	location, err := h.deps.Provider.AuthorizeURL(r.Context(), openid.Authorization{
		State: st.text, Nonce: a.Nonce, Verifier: a.Verifier, RedirectURI: h.redirectURI(facts.Site),
		Prompt: l.prompt, MaxAge: l.maxAge,
	})
	if err != nil {
		note(r, "provider", err)
		facts.Outcome.Login = true
		h.replies.providerUnavailable(w, r, l.returnTo)
		return
	}
	if wait, first := h.deps.Limiter.wait(h.cfg.LoginRate, facts, now); wait > 0 {
		facts.Outcome.Login = first // one audit line is enough
		h.tooMany(w, r, l, wait)
		return
	}
	h.attempts.add(w, r, st, a)
	h.deps.Metrics.started.Inc()
	redirect(w, location)
}

func (h *Handler) newAttempt(st state, facts *inbound.Facts, l login) *attempt {
	a := newAttempt(st, h.deps.Now())
	a.ReturnTo, a.Shortened, a.Prompted, a.Trace = l.returnTo, l.shortened, l.prompt, facts.Traceparent
	a.Host, a.Issuer, a.ClientID = facts.Site.Host, h.deps.Provider.Issuer(), h.deps.Provider.ClientID()
	return a
}

// tooMany answers an address that began too many logins. Visitors who are logged in by now are redirected to the page.
// Others get a link that begins the same login later: an office behind one address must not be locked out.
func (h *Handler) tooMany(w http.ResponseWriter, r *http.Request, l login, wait time.Duration) {
	if !l.prompt && h.loggedIn(r) {
		inbound.Of(r).Outcome.Login = false
		redirect(w, l.returnTo)
		return
	}
	note(r, reasonLoginRate, nil)
	h.replies.count(reasonLoginRate)
	h.deps.Pages.Write(w, r, page.Page{
		Name: page.TooMany, Status: http.StatusTooManyRequests, RetryAfter: wait,
		Links: h.replies.retryOrHome(l.returnTo),
	})
}

func (h *Handler) redirectURI(site *inbound.Site) string {
	return site.Origin() + h.cfg.Prefix + "/callback"
}
