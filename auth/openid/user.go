package openid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/session"
)

// user returns the user that claims describe. An email claim that is not one plain address is ignored.
func (p *Provider) user(subject string, claims map[string]any) session.User {
	claims = p.cfg.SplitClaims(claims) // a copy
	p.dropCRMClaims(claims)
	u := session.User{Issuer: p.issuer, Subject: subject, Claims: claims}
	u.Email, u.EmailVerified = session.EmailOf(claims)
	u.Name = stringOf(claims["name"])
	if u.Name == "" {
		u.Name = strings.TrimSpace(stringOf(claims["given_name"]) + " " + stringOf(claims["family_name"]))
	}
	u.Groups = p.cfg.GroupsIn(claims)
	p.reportUnusableGroups(claims)
	return u
}

// reportUnusableGroups logs once that the groups claim has a type that cannot hold groups.
func (p *Provider) reportUnusableGroups(claims map[string]any) {
	kind := unusableGroups(claimAt(claims, p.cfg.GroupsClaim))
	if kind != "" && p.groupsReported.CompareAndSwap(false, true) {
		p.deps.Log.Warn("groups claim ignored: expected a list of group names",
			"name", p.cfg.GroupsClaim, "detail", kind,
			"cure", "configure the provider to send a list of names, or set auth.groups_claim to another claim")
	}
}

// merge adds userinfo's claims to those of the ID token, which take precedence. email_verified is about the address
// beside it: one source must not verify an address that only the other one has, which may be unverified (CWE-345).
func (p *Provider) merge(id *Identity, info map[string]any) {
	claims := maps.Clone(info)
	maps.Copy(claims, id.User.Claims)
	delete(claims, "email_verified")
	for _, source := range []map[string]any{info, id.User.Claims} {
		verified, found := source["email_verified"]
		if found && reflect.DeepEqual(source["email"], claims["email"]) {
			claims["email_verified"] = verified
		}
	}
	id.User = p.user(id.User.Subject, claims)
}

// Userinfo returns the claims at the provider's userinfo endpoint for a session's access token and subject.
func (p *Provider) Userinfo(ctx context.Context, access, subject string) (map[string]any, error) {
	m, err := p.discovery.metadata(ctx)
	if err != nil {
		return nil, err
	}
	return p.userinfo(ctx, m, access, subject)
}

// userinfo requires the subject of the ID token (token substitution, OpenID Connect Core, section 5.3.2).
func (p *Provider) userinfo(ctx context.Context, m *metadata, access, subject string) (map[string]any, error) {
	if m.Userinfo == "" {
		return nil, errors.New("auth: the provider has no userinfo endpoint")
	}
	body, status, err := p.documents.get(dependency.WithOp(ctx, dependency.OpUserinfo), m.Userinfo, access)
	if err != nil {
		return nil, fmt.Errorf("auth: userinfo: %w", err)
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("auth: userinfo: status %d", status)
	}
	var info map[string]any
	if err := json.Unmarshal(body, &info); err != nil {
		return nil, fmt.Errorf("auth: userinfo: not a JSON object: %w", err)
	}
	if stringOf(info["sub"]) != subject {
		return nil, tokenErrorf("userinfo is of another subject")
	}
	return info, nil
}

func stringOf(v any) string {
	s, _ := v.(string)
	return s
}
