package auth

import (
	"net/http"
	"net/url"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
)

// callback finishes a login. The order of the checks matters: the state is authentic, the attempt is this browser's,
// the provider sent no error, and no other callback finishes it. Only then is the code exchanged.
func (h *Handler) callback(w http.ResponseWriter, r *http.Request) {
	inbound.Of(r).Outcome.Login = true
	q, err := url.ParseQuery(r.URL.RawQuery)
	st, authentic := state{}, false
	if err == nil && once(q, "state") {
		st, authentic = parseState(h.deps.Ring, q.Get("state"))
	}
	if !authentic {
		h.invalidState(w, r)
		return
	}
	a := h.attempts.find(r, st)
	if a == nil || !a.usable(h.deps.Provider, inbound.Of(r).Site.Host, h.deps.Now()) {
		h.lostAttempt(w, r, st, a)
		return
	}
	switch iss := q.Get("iss"); {
	case !wellFormed(q):
		h.replies.failed(w, r, failure{http.StatusBadRequest, causeState, a.ReturnTo})
	case q.Has("iss") && iss != a.Issuer: // a response of another provider (mix-up attack, RFC 9207)
		h.replies.reported().failed(w, r, failure{http.StatusBadRequest, causeToken, a.ReturnTo})
	case q.Has("error"):
		h.providerError(w, r, a)
	default:
		h.finish(w, r, delivery{st, a, q.Get("code")})
	}
}

// wellFormed reports whether the response is a code or an error, each parameter once, and no token (RFC 6749, section
// 4.1.2).
func wellFormed(q url.Values) bool {
	code, failed := once(q, "code"), once(q, "error")
	if code == failed || len(q["code"])+len(q["error"]) != 1 || len(q["iss"]) > 1 {
		return false
	}
	return !q.Has("id_token") && !q.Has("access_token") && !q.Has("response") && (failed || isCode(q.Get("code")))
}

func once(q url.Values, name string) bool { return len(q[name]) == 1 && q.Get(name) != "" }

const maxCode = 4 << 10

// isCode reports whether a code has the form of RFC 6749, appendix A.11. For any other code the provider would refuse
// the request as malformed, which looks like a wrong setting.
func isCode(code string) bool {
	for i := range len(code) {
		if code[i] < ' ' || code[i] > '~' {
			return false
		}
	}
	return code != "" && len(code) <= maxCode
}

// invalidState answers a callback without one authentic state. It never begins a login, because anyone can make such a
// link (login CSRF, CWE-352). Visitors who are logged in are redirected to the site.
func (h *Handler) invalidState(w http.ResponseWriter, r *http.Request) {
	if h.loggedIn(r) {
		redirect(w, "/")
		return
	}
	note(r, "state", nil)
	h.replies.failed(w, r, failure{http.StatusBadRequest, causeState, "/"})
}

// lostAttempt answers an authentic state without a usable attempt in this browser: it has expired, was begun in another
// browser, or cookies are blocked. Visitors who are logged in are redirected to their page. Otherwise one new login is
// begun, and the second time a page shows the cause.
func (h *Handler) lostAttempt(w http.ResponseWriter, r *http.Request, st state, a *attempt) {
	left := h.attempts.pagesLeft(r)
	again := login{returnTo: left.of(st), retries: 1}
	if a != nil {
		again.returnTo, again.prompt, again.shortened = a.ReturnTo, a.Prompted, a.Shortened
	}
	switch {
	case h.loggedIn(r):
		redirect(w, again.returnTo)
	case st.retries == 0:
		h.begin(w, r, again)
	case a != nil && a.Host != inbound.Of(r).Site.Host: // cookies of one public name are not sent to another
		retry := page.Link{Label: page.LabelRetry, URL: h.replies.startURL(again.returnTo)}
		h.replies.loop(w, r, "host", []page.Link{retry})
	default:
		cause := h.lostCause(r, st, a)
		note(r, cause, nil)
		h.replies.failed(w, r, failure{http.StatusBadRequest, cause, again.returnTo})
	}
}

// lostCause returns the cause of a lost attempt. If another browser finished a login with the same state, a cache
// between the gateway and its visitors keeps the redirect.
func (h *Handler) lostCause(r *http.Request, st state, a *attempt) string {
	switch {
	case a == nil && h.claims.exists(r.Context(), st):
		return causeCached
	case a != nil && a.expired(h.deps.Now()):
		return causeExpired
	}
	return causeCookies
}
