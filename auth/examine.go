package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/dependency"
)

// Finding is what an examination found out about one part of the provider. Where is the place that has to be changed.
type Finding struct{ Part, Status, Detail, Cure, Where string } // Status: ok | warning | failed

// Return are the addresses of one public host that have to be registered at the provider.
type Return struct{ Callback, SignedOut string }

const (
	fine    = "ok"
	doubt   = "warning"
	failure = "failed"
)

// Examine asks the provider everything that can be asked without a visitor: discovery, keys, whether it knows this client and takes its
// secret, and whether the addresses are registered.
func (p *Provider) Examine(ctx context.Context, returns []Return) []Finding {
	e, f := p.examineDiscovery(ctx)
	if e == nil {
		return []Finding{f}
	}
	all := []Finding{f}
	all = append(all, p.examineKeys(ctx, e))
	client, known := p.examineClient(ctx, e, returns)
	all = append(all, client)
	if known {
		for _, r := range returns {
			all = append(all, p.examineReturn(ctx, e, r)...)
		}
	}
	all = append(all, p.examineUserinfo(ctx, e)...)
	return append(all, p.examineRefresh(e)...)
}

// examineKeys fetches and reads the keys exactly as a login does.
func (p *Provider) examineKeys(ctx context.Context, e *endpoints) Finding {
	_, flaws, err := p.fetchKeys(ctx, e.JWKS)
	var lost *url.Error
	switch {
	case errors.As(err, &lost):
		return Finding{"keys", failure, "the signing keys cannot be read from " + e.JWKS + ": " + cause(err),
			"let this machine reach the provider", "network"}
	case err != nil:
		return Finding{"keys", failure, "no keys to verify logins with: " + err.Error(),
			"look at the provider: without keys no login can be verified", "provider"}
	case len(flaws) > 0:
		return Finding{"keys", doubt, e.JWKS + ": " + strings.Join(flaws, "; "),
			"logins with the other keys work; correct these at the provider", "provider"}
	}
	return Finding{Part: "keys", Status: fine, Detail: e.JWKS}
}

// examineDiscovery tells a provider that is away from one that knows no such pool, and from a pool that nobody can log in at.
func (p *Provider) examineDiscovery(ctx context.Context) (*endpoints, Finding) {
	f := Finding{Part: "discovery", Status: failure, Where: p.issuerKey()}
	if p.cfg.Endpoints == (Endpoints{}) {
		address := strings.TrimSuffix(p.issuer, "/") + "/.well-known/openid-configuration"
		body, status, err := p.get(dependency.WithOp(ctx, dependency.OpDiscovery), address, "")
		switch {
		case err != nil:
			f.Detail, f.Cure = address+" cannot be reached: "+cause(err), "let this machine reach the provider by https, or mend "+f.Where
			return nil, f
		case status == http.StatusBadRequest, status == http.StatusNotFound:
			f.Detail = fmt.Sprintf("%s answers %d: there is no such %s", address, status, p.kind())
			f.Cure = "mend " + f.Where + ": it must be as the console, or the provider, shows it"
			return nil, f
		case status != http.StatusOK || !json.Valid(body):
			f.Detail, f.Cure = fmt.Sprintf("%s answers %d and no discovery document", address, status), "mend "+f.Where+", or look at the provider's status"
			return nil, f
		}
	}
	e, err := p.endpoints(ctx)
	switch {
	case err == nil:
		return e, Finding{Part: "discovery", Status: fine, Detail: "issuer " + p.issuer}
	case strings.Contains(err.Error(), "has no domain"):
		f.Detail, f.Cure, f.Where = "the user pool has no domain, so nobody can log in", "create a domain for the pool", "Cognito console: Branding, Domain"
	default:
		f.Detail, f.Cure = strings.TrimPrefix(err.Error(), "auth: "), "write the issuer exactly as the provider calls itself"
	}
	return nil, f
}

func (p *Provider) issuerKey() string {
	if p.cfg.UserPool != "" {
		return "auth.user_pool"
	}
	return "auth.issuer"
}

func (p *Provider) kind() string {
	if p.cfg.cognito() {
		return "user pool"
	}
	return "issuer"
}

// console is where a client's settings are changed.
func (p *Provider) console(page string) string {
	if p.cfg.cognito() {
		return "Cognito console: App clients, " + page
	}
	return "the provider's settings of the client"
}

// examineRefresh: without refresh tokens claims stay as of the login, and a user who is disabled stays in until the session ends.
func (p *Provider) examineRefresh(e *endpoints) []Finding {
	if p.cfg.cognito() || !slices.Contains(e.Scopes, "offline_access") || slices.Contains(p.cfg.Scopes, "offline_access") {
		return nil
	}
	return []Finding{{"refresh", doubt, "the provider gives refresh tokens for the scope offline_access only: without them claims stay as of the login",
		"add offline_access", "auth.scopes"}}
}

// examineUserinfo asks for UserInfo with a token that cannot exist, when logins ask for it: a refusal shows that the
// endpoint is there.
func (p *Provider) examineUserinfo(ctx context.Context, e *endpoints) []Finding {
	if !p.cfg.ClaimsFromUserinfo {
		return nil
	}
	f := Finding{Part: "userinfo", Status: failure, Where: "auth.claims_from_userinfo"}
	f.Cure = "remove claims_from_userinfo, or look at the provider: without UserInfo no login works"
	if e.Userinfo == "" {
		f.Detail = "the provider has no UserInfo endpoint"
		return []Finding{f}
	}
	_, status, err := p.get(dependency.WithOp(ctx, dependency.OpUserinfo), e.Userinfo, "hubgate-check")
	switch {
	case err != nil:
		f.Detail = e.Userinfo + " cannot be reached: " + cause(err)
	case status == http.StatusBadRequest, status == http.StatusUnauthorized, status == http.StatusForbidden:
		return []Finding{{Part: "userinfo", Status: fine, Detail: e.Userinfo}}
	default:
		f.Detail = fmt.Sprintf("%s answers %d to an unknown token instead of refusing it", e.Userinfo, status)
	}
	return []Finding{f}
}

// cause is what a person can use of an error of net/http.
func cause(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, `": `); i >= 0 {
		text = text[i+3:]
	}
	return clip(text)
}
