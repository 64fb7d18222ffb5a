package openid

import (
	"context"
	"errors"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// LogoutToken is a verified logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4). It names a session,
// or all sessions of a subject.
type LogoutToken struct {
	ID      string // jti
	Subject string
	SID     string // empty: all sessions of Subject
	Expiry  time.Time
}

// VerifyLogout verifies a logout token. Anyone can send one, so the claims are checked before the signature, and an
// implausible token causes no request to the provider. A *KeysError means that the signature could not be checked.
func (p *Provider) VerifyLogout(ctx context.Context, raw string) (*LogoutToken, error) {
	if err := p.checkLogoutClaims(ctx, raw); err != nil {
		return nil, err
	}
	m, err := p.discovery.metadata(ctx)
	if err != nil {
		return nil, &KeysError{Unavailable: true, err: err}
	}
	keys := &tokenKeys{set: m.keys, from: fromOutside}
	token, err := p.logoutVerifier(keys, p.cfg.algorithms(m)).VerifyLogout(ctx, raw)
	var unavailable *KeysError
	if errors.As(keys.err, &unavailable) {
		return nil, unavailable
	}
	if err != nil {
		return nil, err
	}
	return &LogoutToken{ID: token.TokenID, Subject: token.Subject, SID: token.SessionID, Expiry: token.Expiry}, nil
}

// maxLogoutAge bounds how long a logout token may still be valid. The specification recommends two minutes.
const maxLogoutAge = 7 * 24 * time.Hour

// checkLogoutClaims checks all that does not need the provider's keys: form, algorithm, issuer, audience, times,
// event, jti, and that there is no nonce. It does not check the signature.
func (p *Provider) checkLogoutClaims(ctx context.Context, raw string) error {
	token, err := p.logoutVerifier(unsignedPayload{}, asymmetric()).VerifyLogout(ctx, raw)
	if err != nil {
		return err
	}
	now, skew := p.deps.Now(), max(p.cfg.ClockSkew, time.Minute)
	switch {
	case token.IssuedAt.Unix() <= 0:
		return errors.New("auth: logout token: iat is missing")
	case token.IssuedAt.After(now.Add(skew)):
		return errors.New("auth: logout token: issued in the future")
	case token.Expiry.After(now.Add(maxLogoutAge)):
		return errors.New("auth: logout token: valid for too long")
	}
	return nil
}

func (p *Provider) logoutVerifier(keys oidc.KeySet, algorithms []string) *oidc.IDTokenVerifier {
	return oidc.NewVerifier(p.issuer, keys, &oidc.Config{
		ClientID: p.cfg.ClientID, SupportedSigningAlgs: algorithms, Now: p.deps.Now,
	})
}

// unsignedPayload accepts any signature. It lets go-oidc check a token's claims before its signature. A token that
// passes is always verified again.
type unsignedPayload struct{}

// VerifySignature implements oidc.KeySet.
func (unsignedPayload) VerifySignature(_ context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, joseAlgorithms())
	if err != nil {
		return nil, err
	}
	return jws.UnsafePayloadWithoutVerification(), nil
}
