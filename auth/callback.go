package auth

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/session"
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
	if !(once(q, "code") || once(q, "error")) || (q.Has("code") && q.Has("error")) || len(q["iss"]) > 1 || q.Has("id_token") || q.Has("access_token") || q.Has("response") {
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
	returnTo := "/"
	if a != nil {
		returnTo = a.ReturnTo
	}
	if _, err := h.deps.Sessions.Peek(r); err == nil {
		h.redirect(w, returnTo)
		return
	}
	if st.retries == 0 {
		h.begin(w, r, login{returnTo: returnTo, retries: 1, prompt: a != nil && a.Prompted})
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

// exchange spends the code and verifies what comes back.
func (h *Handler) exchange(ctx context.Context, r *http.Request, a *attempt, code string) (*identity, session.Tokens, error) {
	p := h.deps.Provider
	e, err := p.endpoints(ctx)
	if err != nil {
		return nil, session.Tokens{}, err
	}
	config := p.oauth(e, h.redirectURI(inbound.Of(r).Site))
	token, err := config.Exchange(p.withClient(ctx, dependency.OpToken), code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return nil, session.Tokens{}, err
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, session.Tokens{}, badToken("the token endpoint sent none: is the scope openid allowed for the client?")
	}
	id, err := p.verify(ctx, e, raw, expected{nonce: a.Nonce, access: token.AccessToken})
	if err != nil {
		return nil, session.Tokens{}, err
	}
	if h.cfg.ClaimsFromUserinfo {
		info, err := p.userinfo(ctx, e, token.AccessToken, id.user.Subject)
		if err != nil {
			return nil, session.Tokens{}, err
		}
		p.merge(id, info)
	}
	tokens := session.Tokens{Access: token.AccessToken, Refresh: token.RefreshToken, AccessExpiry: token.Expiry}
	if p.keepsIDToken(e) {
		tokens.ID = raw
	}
	return id, tokens, nil
}

// exchangeError tells apart what the visitor can do about it: try again, start anew, or nothing.
func (h *Handler) exchangeError(w http.ResponseWriter, r *http.Request, a *attempt, err error) {
	var bad *tokenError
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &bad):
		note(r, bad.cause, err)
		h.failed(w, r, http.StatusBadGateway, bad.cause, a.ReturnTo)
		return
	case !errors.As(err, &answer):
		note(r, "provider", err)
		h.deps.Metrics.finished.WithLabelValues("failed", causeProvider).Inc()
		h.unavailable(w, r, causeUnreachable, h.startURL(a.ReturnTo))
		return
	}
	note(r, "token_endpoint", errors.New("auth: the token endpoint answers "+describe(answer)))
	switch answer.ErrorCode {
	case "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope":
		h.misconfigured(w, r, "the token endpoint answers "+answer.ErrorCode+": client id, secret, client_auth or the registered callback URL is wrong")
	case "invalid_grant", "invalid_request":
		if _, err := h.deps.Sessions.Peek(r); err == nil {
			h.redirect(w, a.ReturnTo)
			return
		}
		h.failed(w, r, http.StatusBadRequest, causeUsed, a.ReturnTo)
	default:
		h.deps.Metrics.finished.WithLabelValues("failed", causeProvider).Inc()
		h.unavailable(w, r, causeUnreachable, h.startURL(a.ReturnTo))
	}
}
