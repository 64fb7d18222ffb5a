package auth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/session"
)

// Refresh gets new tokens and the user as of now. session.ErrRefreshDenied means that the provider will never refresh this token
// again; every other error that it could not be asked. A provider that sends no ID token leaves the user as it was (an empty Subject).
func (p *Provider) Refresh(ctx context.Context, refreshToken string) (session.Tokens, session.User, error) {
	tokens, user, err := p.refresh(ctx, refreshToken)
	result, reason := "ok", "none"
	switch {
	case errors.Is(err, session.ErrRefreshDenied):
		result, reason = "denied", "invalid_grant"
	case err != nil:
		result, reason = "failed", "provider"
	}
	p.deps.Metrics.refreshed(result, reason)
	return tokens, user, err
}

func (p *Provider) refresh(ctx context.Context, refreshToken string) (session.Tokens, session.User, error) {
	e, err := p.endpoints(ctx)
	if err != nil {
		return session.Tokens{}, session.User{}, err
	}
	grant := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}}
	token, err := p.requestToken(ctx, e, dependency.OpRefresh, grant)
	if err != nil {
		return session.Tokens{}, session.User{}, p.refreshError(err)
	}
	p.lower(grantRefresh)
	tokens := session.Tokens{Access: token.access, Refresh: token.refresh, AccessExpiry: token.expiry}
	if tokens.Refresh == "" {
		tokens.Refresh = refreshToken // without rotation the old one stays
	}
	if token.id == "" {
		return tokens, session.User{}, nil
	}
	id, err := p.verify(ctx, e, token.id, expected{access: token.access})
	var bad *tokenError
	if errors.Is(err, errUnknownKey) { // perhaps not published everywhere yet: nobody is logged out for it
		return session.Tokens{}, session.User{}, fmt.Errorf("auth: refresh: %w", err)
	}
	if errors.As(err, &bad) && bad.cause == causeToken { // another issuer, another client: not this session's provider (RP-23)
		return session.Tokens{}, session.User{}, fmt.Errorf("%w: %w", session.ErrRefreshDenied, err)
	}
	if err != nil {
		return session.Tokens{}, session.User{}, err
	}
	if p.cfg.ClaimsFromUserinfo {
		info, err := p.userinfo(ctx, e, token.access, id.user.Subject)
		if err != nil {
			return session.Tokens{}, session.User{}, err
		}
		p.merge(id, info)
	}
	if p.keepsIDToken(e) {
		tokens.ID = token.id
	}
	return tokens, id.user, nil
}

func (p *Provider) refreshError(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return fmt.Errorf("auth: refresh: %w", err)
	}
	switch answer.ErrorCode {
	case "invalid_grant":
		return fmt.Errorf("auth: refresh: %w", session.ErrRefreshDenied)
	case "invalid_client", "unauthorized_client":
		p.raise(grantRefresh, "the token endpoint answers "+answer.ErrorCode+
			" to a refresh: client id, secret or client_auth is wrong")
	}
	return fmt.Errorf("auth: refresh: the token endpoint answers %s", describe(answer))
}

// keepsIDToken: RP-initiated logout wants it as a hint; Cognito's logout does not, and the record stays small.
func (p *Provider) keepsIDToken(e *endpoints) bool { return p.logoutKind(e) == "oidc" }

// revokeTime bounds the revocation: a logout does not wait for it any longer.
const revokeTime = 2 * time.Second

// Revoke gives a refresh token back, best effort.
func (p *Provider) Revoke(ctx context.Context, refreshToken string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTime)
	defer cancel()
	e, err := p.endpoints(ctx)
	if err != nil || e.Revoke == "" || refreshToken == "" {
		return
	}
	req, err := p.clientRequest(dependency.WithOp(ctx, dependency.OpRevoke), e.Revoke, url.Values{"token": {refreshToken}})
	if err != nil {
		return
	}
	res, err := p.deps.Client.Do(req)
	if err != nil {
		p.deps.Log.WarnContext(ctx, "a refresh token was not revoked", "error", err)
		return
	}
	res.Body.Close()
}
