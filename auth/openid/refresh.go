package openid

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/session"
)

// Refresh returns new tokens and the current user. session.ErrRefreshDenied means that the provider will never accept
// this refresh token again. Any other error means that the refresh could not be done now. If the provider sends no ID
// token, the user has an empty Subject, and the session keeps its user.
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
	m, err := p.discovery.metadata(ctx)
	if err != nil {
		return session.Tokens{}, session.User{}, err
	}
	t, err := p.tokens.request(ctx, dependency.OpRefresh, m.Token, refreshGrant(refreshToken))
	if err != nil {
		return session.Tokens{}, session.User{}, p.refreshError(err)
	}
	p.alarm.end(grantRefresh)
	if t.refresh == "" {
		t.refresh = refreshToken // without rotation the old one stays valid
	}
	if t.id == "" {
		return session.Tokens{Access: t.access, Refresh: t.refresh, AccessExpiry: t.expiry}, session.User{}, nil
	}
	id, err := p.verify(ctx, m, t, "")
	if err != nil {
		return session.Tokens{}, session.User{}, refreshedTokenError(err)
	}
	if err := p.complete(ctx, m, t, id); err != nil {
		return session.Tokens{}, session.User{}, err
	}
	return id.Tokens, id.User, nil
}

func refreshGrant(refreshToken string) url.Values {
	return url.Values{"grant_type": {string(grantRefresh)}, "refresh_token": {refreshToken}}
}

// refreshedTokenError denies the refresh if the ID token is of another issuer or client (token substitution). It does
// not for an unknown key, which may not be published everywhere yet, and not for a wrong clock.
func refreshedTokenError(err error) error {
	var invalid *TokenError
	if errors.Is(err, errUnknownKey) {
		return fmt.Errorf("auth: refresh: %w", err)
	}
	if errors.As(err, &invalid) && !invalid.WrongClock {
		return fmt.Errorf("%w: %w", session.ErrRefreshDenied, err)
	}
	return err
}

func (p *Provider) refreshError(err error) error {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		switch refusal.code {
		case "invalid_grant":
			return fmt.Errorf("auth: refresh: %w", session.ErrRefreshDenied)
		case "invalid_client", "unauthorized_client":
			p.alarm.raise(grantRefresh, "token endpoint: "+refusal.code+
				" at a refresh; auth.client_id, auth.client_secret or auth.client_auth is wrong")
		}
	}
	return fmt.Errorf("auth: refresh: %w", err)
}

// revokeTime bounds the revocation, which delays a logout.
const revokeTime = 2 * time.Second

// Revoke revokes a refresh token (RFC 7009), best effort.
func (p *Provider) Revoke(ctx context.Context, refreshToken string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTime)
	defer cancel()
	m, err := p.discovery.metadata(ctx)
	if err != nil || m.Revoke == "" || refreshToken == "" {
		return
	}
	form := url.Values{"token": {refreshToken}}
	req, err := p.tokens.newRequest(dependency.WithOp(ctx, dependency.OpRevoke), m.Revoke, form)
	if err != nil {
		return
	}
	res, err := p.deps.Client.Do(req)
	if err != nil {
		p.deps.Log.WarnContext(ctx, "refresh token not revoked", "error", err)
		return
	}
	res.Body.Close()
}
