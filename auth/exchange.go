package auth

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/session"
)

// exchange spends the code and verifies what comes back.
func (h *Handler) exchange(
	ctx context.Context, r *http.Request, a *attempt, code string,
) (*identity, session.Tokens, error) {
	p := h.deps.Provider
	e, err := p.endpoints(ctx)
	if err != nil {
		return nil, session.Tokens{}, err
	}
	grant := codeGrant(code, h.redirectURI(inbound.Of(r).Site), a.Verifier)
	token, err := p.requestToken(ctx, e, dependency.OpToken, grant)
	if err != nil {
		return nil, session.Tokens{}, err
	}
	inbound.Of(r).Outcome.Granted = true
	if token.id == "" {
		return nil, session.Tokens{}, badToken("the token endpoint sent none: is the scope openid allowed for the client?")
	}
	id, err := p.verify(ctx, e, token.id, expected{nonce: a.Nonce, access: token.access})
	if err != nil {
		return nil, session.Tokens{}, err
	}
	if h.cfg.ClaimsFromUserinfo {
		info, err := p.userinfo(ctx, e, token.access, id.user.Subject)
		if err != nil {
			return nil, session.Tokens{}, err
		}
		p.merge(id, info)
	}
	tokens := session.Tokens{Access: token.access, Refresh: token.refresh, AccessExpiry: token.expiry}
	if p.keepsIDToken(e) {
		tokens.ID = token.id
	}
	return id, tokens, nil
}

// codeGrant is RFC 6749, section 4.1.3, with PKCE (RFC 7636, section 4.5).
func codeGrant(code, redirectURI, verifier string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
	}
}

// isCode reports whether a code has the form that RFC 6749, appendix A.11, gives it. Anything else would make the
// provider refuse our request as malformed, and a visitor's invention would look like a wrong setting.
func isCode(code string) bool {
	for i := range len(code) {
		if code[i] < ' ' || code[i] > '~' {
			return false
		}
	}
	return code != "" && len(code) <= maxCode
}

const maxCode = 4 << 10

// exchangeError shows what the visitor can do about a failed exchange (try again, start anew, or nothing), and names
// the cause to the operator.
func (h *Handler) exchangeError(w http.ResponseWriter, r *http.Request, a *attempt, err error) {
	var bad *tokenError
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &bad):
		note(r, bad.cause, err)
		h.failed(w, r, http.StatusBadGateway, bad.cause, a.ReturnTo)
	case errors.As(err, &answer):
		h.refusedExchange(w, r, a, answer)
	default:
		note(r, "provider", err)
		h.providerDown(w, r, a)
	}
}

// refusedExchange answers a login whose code the token endpoint refused. Only invalid_client raises the operator's
// alarm: the client is looked at before the code, so no visitor can cause it. An invented code may well be answered
// with invalid_request, and Cognito answers a code of another host's callback with unauthorized_client.
func (h *Handler) refusedExchange(w http.ResponseWriter, r *http.Request, a *attempt, answer *oauth2.RetrieveError) {
	detail := "the token endpoint answers " + describe(answer)
	switch kindOfRefusal(answer) {
	case refusedCode:
		if _, err := h.deps.Sessions.Peek(r); err == nil {
			h.redirect(w, a.ReturnTo)
			return
		}
		note(r, "token_endpoint", errors.New("auth: "+detail+": the code was used before, is too old, or is another login's"))
		h.failed(w, r, http.StatusBadRequest, causeUsed, a.ReturnTo)
	case refusedSettings:
		detail += h.deps.Provider.settingsCure(answer)
		if answer.ErrorCode == "invalid_client" {
			h.deps.Provider.raise(grantCode, detail)
		}
		note(r, "token_endpoint", errors.New("auth: "+detail))
		h.misconfiguredPage(w, r)
	default:
		note(r, "token_endpoint", errors.New("auth: "+detail))
		h.providerDown(w, r, a)
	}
}

// providerDown asks the visitor to try again: the provider gives no answer, or says that it cannot.
func (h *Handler) providerDown(w http.ResponseWriter, r *http.Request, a *attempt) {
	h.deps.Metrics.finished.WithLabelValues("failed", causeProvider).Inc()
	h.unavailable(w, r, causeUnreachable, h.startURL(a.ReturnTo))
}
