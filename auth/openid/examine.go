package openid

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
	"github.com/hubgate/hubgate/internal/setting"
)

// ReturnURLs are the URLs of one public host that must be registered at the provider.
type ReturnURLs struct{ Callback, SignedOut string }

const cureNetwork = "allow this machine to reach the provider by https"

// examination checks the provider and the client's settings there.
type examination struct {
	*Provider
	metadata *metadata
	returns  []ReturnURLs
}

// Examine checks everything that can be checked without a user: discovery, keys, the client and its secret, and whether
// the return URLs are registered.
func (p *Provider) Examine(ctx context.Context, returns []ReturnURLs) []setting.Finding {
	x := &examination{Provider: p, returns: returns}
	found := x.discover(ctx)
	if x.metadata == nil {
		return []setting.Finding{found}
	}
	all := []setting.Finding{found, x.keys(ctx)}
	client, known := x.client(ctx)
	all = append(all, client)
	if known {
		for _, urls := range returns {
			all = append(all, x.callback(ctx, urls.Callback))
			all = append(all, x.signedOut(ctx, urls.SignedOut)...)
		}
	}
	all = append(all, x.userinfoEndpoint(ctx)...)
	return append(all, x.refreshTokens()...)
}

// discover distinguishes a provider that is unavailable, a user pool that does not exist, and one without a domain.
func (x *examination) discover(ctx context.Context) setting.Finding {
	if x.cfg.Endpoints == (Endpoints{}) {
		if f, ok := x.discoveryDocument(ctx); !ok {
			return f
		}
	}
	m, err := x.discovery.metadata(ctx)
	f := setting.Finding{Part: "discovery", Status: setting.Failed, Where: x.cfg.issuerKey()}
	switch {
	case err == nil:
		x.metadata = m
		return setting.Finding{Part: "discovery", Status: setting.OK, Detail: "issuer " + x.issuer}
	case errors.Is(err, errNoDomain):
		f.Detail = "the user pool has no domain, so nobody can log in"
		f.Cure, f.Where = "create a domain for the pool", "Cognito console: Branding, Domain"
	default:
		f.Detail = strings.TrimPrefix(err.Error(), "auth: ")
		f.Cure = "write the issuer exactly as the provider's discovery document does"
	}
	return f
}

func (x *examination) discoveryDocument(ctx context.Context) (f setting.Finding, ok bool) {
	f = setting.Finding{Part: "discovery", Status: setting.Failed, Where: x.cfg.issuerKey()}
	address := x.discovery.address()
	body, status, err := x.documents.get(dependency.WithOp(ctx, dependency.OpDiscovery), address, "")
	switch {
	case err != nil:
		f.Detail, f.Cure = address+" is unreachable: "+cause(err), cureNetwork+", or fix "+f.Where
	case status == http.StatusBadRequest, status == http.StatusNotFound:
		f.Detail = fmt.Sprintf("%s: status %d; no such %s", address, status, x.kind())
		f.Cure = "fix " + f.Where + "; copy it from the console, or from the provider"
	case status != http.StatusOK || !json.Valid(body):
		f.Detail = fmt.Sprintf("%s: status %d without a discovery document", address, status)
		f.Cure = "fix " + f.Where + ", or check the provider's status"
	default:
		return f, true
	}
	return f, false
}

// kind returns what issuerKey names.
func (x *examination) kind() string {
	if x.cfg.Cognito() {
		return "user pool"
	}
	return "issuer"
}

// console returns where a client's settings are changed.
func (x *examination) console(page string) string {
	if x.cfg.Cognito() {
		return "Cognito console: App clients, " + page
	}
	return "the client's settings at the provider"
}

// keys fetches and parses the keys as a login does.
func (x *examination) keys(ctx context.Context) setting.Finding {
	address := x.metadata.JWKS
	_, flaws, err := x.documents.keys(ctx, address)
	f := setting.Finding{Part: "keys", Status: setting.Failed, Where: "provider"}
	var unreachable *url.Error
	switch {
	case errors.As(err, &unreachable):
		f.Detail = "cannot fetch the signing keys from " + address + ": " + cause(err)
		f.Cure, f.Where = cureNetwork, "network"
	case err != nil:
		f.Detail = "no signing keys: " + err.Error()
		f.Cure = "check the provider: without keys no login can be verified"
	case len(flaws) > 0:
		f.Status, f.Detail = setting.Warning, address+": "+strings.Join(flaws, "; ")
		f.Cure = "correct these keys at the provider; logins with the other keys work"
	default:
		return setting.Finding{Part: "keys", Status: setting.OK, Detail: address}
	}
	return f
}

// refreshTokens warns if the provider sends no refresh tokens for the configured scopes.
func (x *examination) refreshTokens() []setting.Finding {
	const scope = "offline_access"
	if x.cfg.Cognito() || !slices.Contains(x.metadata.Scopes, scope) || slices.Contains(x.cfg.Scopes, scope) {
		return nil
	}
	detail := "no refresh tokens without the scope " + scope + ": claims stay as they were at the login"
	return []setting.Finding{{
		Part: "refresh", Status: setting.Warning, Detail: detail, Cure: "add " + scope, Where: "auth.scopes",
	}}
}

// userinfoEndpoint sends a token that cannot exist to the userinfo endpoint, if logins use it. A refusal shows that the
// endpoint works.
func (x *examination) userinfoEndpoint(ctx context.Context) []setting.Finding {
	if !x.cfg.ClaimsFromUserinfo {
		return nil
	}
	f := setting.Finding{Part: "userinfo", Status: setting.Failed, Where: "auth.claims_from_userinfo"}
	f.Cure = "remove claims_from_userinfo, or check the provider: without userinfo no login works"
	address := x.metadata.Userinfo
	if address == "" {
		f.Detail = "the provider has no userinfo endpoint"
		return []setting.Finding{f}
	}
	_, status, err := x.documents.get(dependency.WithOp(ctx, dependency.OpUserinfo), address, "hubgate-check")
	switch {
	case err != nil:
		f.Detail = address + " is unreachable: " + cause(err)
	case status == http.StatusBadRequest, status == http.StatusUnauthorized, status == http.StatusForbidden:
		return []setting.Finding{{Part: "userinfo", Status: setting.OK, Detail: address}}
	default:
		f.Detail = fmt.Sprintf("%s: status %d; expected 401 for an unknown token", address, status)
	}
	return []setting.Finding{f}
}

// cause returns the last part of an error of net/http, which describes the failure.
func cause(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, `": `); i >= 0 {
		text = text[i+3:]
	}
	return clip(text)
}
