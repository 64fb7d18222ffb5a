package openid

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// TokenError means that an ID token, or the claims of userinfo, are invalid.
type TokenError struct {
	WrongClock bool // the token is expired or from the future, so the provider's clock or ours is wrong
	err        error
}

func (e *TokenError) Error() string { return "auth: id token: " + e.err.Error() }
func (e *TokenError) Unwrap() error { return e.err }

func tokenErrorf(format string, args ...any) error {
	return &TokenError{err: fmt.Errorf(format, args...)}
}

// verify checks an ID token: signature, issuer, audience and expiry by go-oidc, and azp, iat, sub, nonce, at_hash and
// Cognito's token_use here, which go-oidc leaves to its caller. nonce is empty for refreshed tokens.
func (p *Provider) verify(ctx context.Context, m *metadata, t *TokenResponse, nonce string) (*Identity, error) {
	keys := &tokenKeys{set: m.keys, from: fromProvider}
	verifier := oidc.NewVerifier(p.issuer, keys, &oidc.Config{
		ClientID: p.cfg.ClientID, SupportedSigningAlgs: p.cfg.algorithms(m),
		Now: func() time.Time { return p.deps.Now().Add(-p.cfg.ClockSkew) }, // go-oidc has no leeway for exp
	})
	token, err := verifier.Verify(ctx, t.id)
	if err != nil {
		return nil, signatureError(keys.err, err)
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return nil, tokenErrorf("claims: %w", err)
	}
	if err := p.verifyTimes(token, claims); err != nil {
		return nil, err
	}
	if err := p.verifyAudience(token, claims); err != nil {
		return nil, err
	}
	if nonce != "" && subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1 {
		return nil, tokenErrorf("the nonce is of another login") // code or token injection (RFC 9700, section 4.5)
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(t.access); err != nil {
			return nil, tokenErrorf("at_hash: %w", err)
		}
	}
	return &Identity{
		User: p.user(token.Subject, claims), AuthTime: unixTime(claims["auth_time"]), SID: stringOf(claims["sid"]),
	}, nil
}

// signatureError distinguishes an invalid token from keys that are unavailable. keysErr is the error of the key set,
// whose type go-oidc drops from err.
func signatureError(keysErr, err error) error {
	var unavailable *KeysError
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(keysErr, &unavailable):
		return fmt.Errorf("auth: id token: %w", unavailable)
	case keysErr != nil:
		return &TokenError{err: keysErr}
	}
	return &TokenError{WrongClock: errors.As(err, &expired), err: err}
}

func (p *Provider) verifyTimes(token *oidc.IDToken, claims map[string]any) error {
	now, skew := p.deps.Now(), max(p.cfg.ClockSkew, time.Minute)
	switch {
	case token.IssuedAt.Unix() <= 0 || claims["iat"] == nil:
		return tokenErrorf("iat is missing")
	case token.IssuedAt.After(now.Add(skew)):
		ahead := token.IssuedAt.Sub(now).Round(time.Second)
		return &TokenError{WrongClock: true, err: fmt.Errorf("issued %s in the future", ahead)}
	}
	return nil
}

// verifyAudience checks that the token is an ID token, for this client alone (OpenID Connect Core, section 3.1.3.7). An
// access token in its place would be token substitution.
func (p *Provider) verifyAudience(token *oidc.IDToken, claims map[string]any) error {
	azp, hasAZP := claims["azp"]
	use, hasUse := claims["token_use"]
	switch {
	case token.Subject == "":
		return tokenErrorf("sub is missing")
	case !slices.Contains(token.Audience, p.cfg.ClientID) || (len(token.Audience) > 1 && !hasAZP):
		return tokenErrorf("aud is not this client alone")
	case hasAZP && azp != p.cfg.ClientID:
		return tokenErrorf("azp is another client")
	case (hasUse || p.cfg.UserPool != "") && use != "id":
		return tokenErrorf("token_use is not id")
	}
	return nil
}

func unixTime(v any) time.Time {
	n, ok := v.(float64)
	if !ok || n <= 0 || n > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0)
}
