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

// Code is an authorization code with what its exchange must repeat (RFC 6749, section 4.1.3).
type Code struct {
	Code        string
	RedirectURI string
	Verifier    string // PKCE code verifier (RFC 7636, section 4.5)
}

func (c Code) grant() url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {c.Code},
		"redirect_uri": {c.RedirectURI}, "code_verifier": {c.Verifier},
	}
}

// Exchange exchanges a code for tokens, which are not verified yet. If the token endpoint refuses, the error is a
// *Refusal.
func (p *Provider) Exchange(ctx context.Context, code Code) (*TokenResponse, error) {
	m, err := p.discovery.metadata(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := p.tokens.request(ctx, dependency.OpToken, m.Token, code.grant())
	if err != nil {
		return nil, p.exchangeError(err)
	}
	p.alarm.end(grantCode)
	return tokens, nil
}

// exchangeError adds the cause and the cure. Only invalid_client raises the alarm, because providers check the client
// before the code, so a visitor cannot cause it. A made-up code may well be refused with invalid_request, and Cognito
// refuses a code of another host's callback with unauthorized_client.
func (p *Provider) exchangeError(err error) error {
	var refusal *Refusal
	switch {
	case !errors.As(err, &refusal), refusal.Kind == RefusedForNow:
		return fmt.Errorf("auth: %w", err)
	case refusal.Kind == RefusedCode:
		return fmt.Errorf("auth: %w: the code was used before, has expired, or belongs to another login", refusal)
	}
	cure := p.cfg.cure(refusal)
	if refusal.code == "invalid_client" {
		p.alarm.raise(grantCode, refusal.Error()+"; "+cure)
	}
	return fmt.Errorf("auth: %w; %s", refusal, cure)
}

// Identity is the logged-in user according to the provider.
type Identity struct {
	User     session.User
	AuthTime time.Time // when the provider authenticated the user; zero if unknown
	SID      string    // of the session at the provider; may be empty
	Tokens   session.Tokens
}

// errNoIDToken is the error for tokens without an ID token.
var errNoIDToken = tokenErrorf("no ID token from the token endpoint; allow the scope openid for the client")

// Identify verifies the ID token of a login and returns the user. An invalid token is a *TokenError. If userinfo is
// configured, its claims are added.
func (p *Provider) Identify(ctx context.Context, t *TokenResponse, nonce string) (*Identity, error) {
	if t.id == "" {
		return nil, errNoIDToken
	}
	m, err := p.discovery.metadata(ctx)
	if err != nil {
		return nil, err
	}
	id, err := p.verify(ctx, m, t, nonce)
	if err != nil {
		return nil, err
	}
	return id, p.complete(ctx, m, t, id)
}

// complete adds the claims of userinfo, if configured, and the tokens that a session keeps.
func (p *Provider) complete(ctx context.Context, m *metadata, t *TokenResponse, id *Identity) error {
	if p.cfg.ClaimsFromUserinfo {
		info, err := p.userinfo(ctx, m, t.access, id.User.Subject)
		if err != nil {
			return err
		}
		p.merge(id, info)
	}
	id.Tokens = session.Tokens{Access: t.access, Refresh: t.refresh, AccessExpiry: t.expiry}
	if p.cfg.keepsIDToken(m) {
		id.Tokens.ID = t.id
	}
	return nil
}
