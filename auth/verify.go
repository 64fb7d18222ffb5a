package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/session"
)

// tokenError is an ID token that does not hold; cause is the page's.
type tokenError struct {
	cause string
	err   error
}

func (e *tokenError) Error() string { return "auth: id token: " + e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

func badToken(format string, args ...any) error {
	return &tokenError{causeToken, fmt.Errorf(format, args...)}
}

// identity is what a verified ID token says.
type identity struct {
	user     session.User
	authTime time.Time
	sid      string
}

// expected is what an ID token must fit.
type expected struct {
	nonce  string // "" for refreshed tokens: they need none, but must repeat it if they have one
	access string
}

// verify checks an ID token in full: signature, issuer, audience and expiry by go-oidc; azp, iat, sub, nonce, at_hash and Cognito's
// token_use here, for go-oidc leaves them to its caller.
func (p *Provider) verify(ctx context.Context, e *endpoints, raw string, want expected) (*identity, error) {
	skew := p.cfg.ClockSkew.D()
	keys := &tokenKeys{set: e.keys, from: fromProvider}
	verifier := oidc.NewVerifier(p.issuer, keys, &oidc.Config{
		ClientID: p.cfg.ClientID, SupportedSigningAlgs: p.algorithms(e),
		Now: func() time.Time { return p.deps.Now().Add(-skew) }, // go-oidc has no leeway for exp
	})
	token, err := verifier.Verify(ctx, raw)
	if unread := (*keysError)(nil); errors.As(keys.err, &unread) {
		return nil, fmt.Errorf("auth: id token: %w", unread)
	}
	if keys.err != nil {
		return nil, &tokenError{causeToken, keys.err}
	}
	if err != nil {
		var expired *oidc.TokenExpiredError
		if errors.As(err, &expired) {
			return nil, &tokenError{causeClock, err}
		}
		return nil, badToken("%w", err)
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return nil, badToken("claims: %w", err)
	}
	if err := p.verifyClaims(token, claims, want); err != nil {
		return nil, err
	}
	return &identity{user: p.user(token.Subject, claims), authTime: unixTime(claims["auth_time"]), sid: text(claims["sid"])}, nil
}

func (p *Provider) verifyClaims(token *oidc.IDToken, claims map[string]any, want expected) error {
	now, skew := p.deps.Now(), max(p.cfg.ClockSkew.D(), time.Minute)
	azp, hasAZP := claims["azp"]
	use, hasUse := claims["token_use"]
	switch {
	case token.Subject == "":
		return badToken("there is no sub")
	case token.IssuedAt.Unix() <= 0 || claims["iat"] == nil:
		return badToken("there is no iat")
	case token.IssuedAt.After(now.Add(skew)):
		return &tokenError{causeClock, fmt.Errorf("issued %s in the future", token.IssuedAt.Sub(now).Round(time.Second))}
	case !slices.Contains(token.Audience, p.cfg.ClientID) || (len(token.Audience) > 1 && !hasAZP):
		return badToken("the audience is not this client alone")
	case hasAZP && azp != p.cfg.ClientID: // a token for somebody else, OIDC Core 3.1.3.7
		return badToken("azp names another client")
	case (hasUse || p.cfg.UserPool != "") && use != "id": // an access token in the ID token's place (RP-13)
		return badToken("token_use is not id")
	case want.nonce != "" && subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(want.nonce)) != 1: // RP-05: code or token injection
		return badToken("the nonce is not this login's")
	}
	if token.AccessTokenHash != "" && want.access != "" {
		if err := token.VerifyAccessToken(want.access); err != nil {
			return badToken("at_hash: %w", err)
		}
	}
	return nil
}

// user makes a user of claims. E-mails are judged strictly: an address that is not one is none.
func (p *Provider) user(subject string, claims map[string]any) session.User {
	claims = p.cfg.SplitClaims(claims)
	u := session.User{Issuer: p.issuer, Subject: subject, Claims: claims, EmailVerified: lenientBool(claims["email_verified"])}
	if address := text(claims["email"]); isEmail(address) {
		u.Email = address
	}
	u.Name = text(claims["name"])
	if u.Name == "" {
		u.Name = strings.TrimSpace(text(claims["given_name"]) + " " + text(claims["family_name"]))
	}
	u.Groups = p.cfg.GroupsIn(claims)
	if kind := unusableGroups(claimAt(claims, p.cfg.GroupsClaim)); kind != "" && p.groupsReported.CompareAndSwap(false, true) {
		p.deps.Log.Warn("a claim holds something else than names of groups, which is ignored",
			"name", p.cfg.GroupsClaim, "detail", kind,
			"cure", "let the provider send a list of names, or name another claim in auth.groups_claim")
	}
	return u
}

// merge adds UserInfo's claims to those of the ID token, which win. Cognito spells its booleans there as text.
func (p *Provider) merge(id *identity, info map[string]any) {
	claims := map[string]any{}
	for name, value := range info {
		claims[name] = value
	}
	for name, value := range id.user.Claims {
		claims[name] = value
	}
	id.user = p.user(id.user.Subject, claims)
}

// userinfo asks the UserInfo endpoint and holds it to the ID token's subject (RP-25).
func (p *Provider) userinfo(ctx context.Context, e *endpoints, access, subject string) (map[string]any, error) {
	if e.Userinfo == "" {
		return nil, errors.New("auth: the provider has no UserInfo endpoint")
	}
	body, status, err := p.get(dependency.WithOp(ctx, dependency.OpUserinfo), e.Userinfo, access)
	if err != nil {
		return nil, fmt.Errorf("auth: userinfo: %w", err)
	}
	if status != 200 {
		return nil, fmt.Errorf("auth: userinfo answers %d", status)
	}
	var info map[string]any
	if err := json.Unmarshal(body, &info); err != nil {
		return nil, fmt.Errorf("auth: userinfo is no JSON object: %w", err)
	}
	if text(info["sub"]) != subject {
		return nil, badToken("userinfo speaks of another subject")
	}
	return info, nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// lenientBool: Cognito's UserInfo and some federated providers spell booleans as text.
func lenientBool(v any) bool {
	b, ok := v.(bool)
	return (ok && b) || v == "true"
}

func unixTime(v any) time.Time {
	n, ok := v.(float64)
	if !ok || n <= 0 || n > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0)
}

// isEmail takes one plain address: exactly one @, nothing quoted, no white space or controls. attacker@evil.com@company.com is none
// (RP-15).
func isEmail(address string) bool {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" || domain == "" || len(address) > 254 || strings.Contains(domain, "@") || strings.ContainsAny(address, "\"()<>[]:;,\\ ") {
		return false
	}
	for _, r := range address {
		if r <= ' ' || r == 0x7f {
			return false
		}
	}
	return strings.Trim(domain, ".-") == domain
}
