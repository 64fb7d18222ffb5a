package auth

import (
	"context"
	"net/http"
	"net/url"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
)

// callback finishes a login. The order matters: the state is ours, the attempt is this browser's, the provider did not fail, nobody
// else finishes it; only then is the code spent.
func (h *Handler) callback(w http.ResponseWriter, r *http.Request) {
	inbound.Of(r).Outcome.Login = true
	q, err := url.ParseQuery(r.URL.RawQuery)
	st, authentic := state{}, false
	if err == nil && once(q, "state") {
		st, authentic = parseState(h.deps.Ring, q.Get("state"))
	}
	if !authentic {
		h.strayState(w, r)
		return
	}
	a := h.attemptOf(r, st)
	if a == nil || !a.usable(h, inbound.Of(r).Site.Host, h.deps.Now()) {
		h.lostAttempt(w, r, st, a)
		return
	}
	if !wellFormed(q) {
		h.failed(w, r, http.StatusBadRequest, causeState, a.ReturnTo)
		return
	}
	if iss := q.Get("iss"); q.Has("iss") && iss != a.Issuer { // RFC 9207: an answer of another provider (mix-up, RP-16)
		h.failed(w, r, http.StatusBadRequest, causeToken, a.ReturnTo)
		return
	}
	if q.Has("error") {
		h.providerError(w, r, q.Get("error"), q.Get("error_description"), a)
		return
	}
	h.finish(w, r, delivery{st, a, q.Get("code")})
}

// wellFormed reports whether the provider's answer is a code or an error, each parameter once, and no token (RFC 6749,
// section 4.1.2).
func wellFormed(q url.Values) bool {
	code, failed := once(q, "code"), once(q, "error")
	if code == failed || len(q["code"])+len(q["error"]) != 1 || len(q["iss"]) > 1 {
		return false
	}
	return !q.Has("id_token") && !q.Has("access_token") && !q.Has("response") && (failed || isCode(q.Get("code")))
}

func once(q url.Values, name string) bool { return len(q[name]) == 1 && q.Get(name) != "" }

// strayState: no state, two of them, or one that is not ours. It never starts a login by itself (RP-02: a link that anybody can make
// would log visitors in); whoever is logged in goes on to the site.
func (h *Handler) strayState(w http.ResponseWriter, r *http.Request) {
	if _, err := h.deps.Sessions.Peek(r); err == nil {
		h.redirect(w, "/")
		return
	}
	note(r, "state", nil)
	h.failed(w, r, http.StatusBadRequest, causeState, "/")
}

// lostAttempt: the state is ours, but this browser has no attempt for it that could finish a login: it is an hour old, was begun in
// another browser, or cookies are blocked. Whoever is logged in goes on; else one fresh login is begun, and the second time the page
// tells why.
func (h *Handler) lostAttempt(w http.ResponseWriter, r *http.Request, st state, a *attempt) {
	returnTo := h.pageLeft(r, st)
	if a != nil {
		returnTo = a.ReturnTo
	}
	if _, err := h.deps.Sessions.Peek(r); err == nil {
		h.redirect(w, returnTo)
		return
	}
	if st.retries == 0 {
		again := login{returnTo: returnTo, retries: 1}
		if a != nil {
			again.prompt, again.shortened = a.Prompted, a.Shortened
		}
		h.begin(w, r, again)
		return
	}
	if a != nil && a.Host != inbound.Of(r).Site.Host { // begun under another of our names: the cookie of the one is not the other's
		h.deps.Metrics.loops.WithLabelValues("host").Inc()
		note(r, "loop_host", nil)
		h.deps.Pages.Write(w, r, page.Page{Name: page.Loop, Status: http.StatusBadRequest, Cause: "host", Links: []page.Link{{Label: page.LabelRetry, URL: h.startURL(returnTo)}}})
		return
	}
	cause := causeCookies
	if a == nil {
		ctx, cancel := context.WithTimeout(r.Context(), storeTime)
		defer cancel()
		if n, err := h.deps.Redis.Exists(ctx, h.claimKey(st)).Result(); err == nil && n > 0 {
			cause = causeCached // another browser finished a login with the same state: somebody keeps the redirect
		}
	} else if h.deps.Now().Sub(a.Began) >= attemptTime {
		cause = causeExpired
	}
	note(r, cause, nil)
	h.failed(w, r, http.StatusBadRequest, cause, returnTo)
}
