package auth

import (
	"context"
	"errors"

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/internal/dependency"
)

// Finding is what an examination found out about one part of the provider.
type Finding struct{ Part, Status, Detail, Cure string } // Status: ok | warning | failed

// Examine asks the provider everything that can be asked without a visitor: discovery, keys, and whether it knows this client. The
// client is tried with a code that cannot exist: a provider that knows it answers invalid_grant, else invalid_client.
func (p *Provider) Examine(ctx context.Context) []Finding {
	e, err := p.endpoints(ctx)
	if err != nil {
		return []Finding{{"discovery", "failed", err.Error(), "mend auth.user_pool or auth.issuer, or let this machine reach the provider"}}
	}
	all := []Finding{{"discovery", "ok", "issuer " + p.issuer, ""}}
	body, status, err := p.get(dependency.WithOp(ctx, dependency.OpJWKS), e.JWKS, "")
	if err != nil || status != 200 || len(body) == 0 {
		all = append(all, Finding{"keys", "failed", "the signing keys cannot be read from " + e.JWKS, "let this machine reach the provider"})
	} else {
		all = append(all, Finding{"keys", "ok", e.JWKS, ""})
	}
	return append(all, p.examineClient(ctx, e))
}

func (p *Provider) examineClient(ctx context.Context, e *endpoints) Finding {
	config := p.oauth(e, "https://hubgate.invalid/check")
	_, err := config.Exchange(p.withClient(ctx, dependency.OpToken), "hubgate-check", oauth2.VerifierOption(oauth2.GenerateVerifier()))
	var answer *oauth2.RetrieveError
	switch {
	case !errors.As(err, &answer):
		return Finding{"client", "failed", "the token endpoint gives no answer: " + e.Token, "let this machine reach the provider"}
	case answer.ErrorCode == "invalid_client":
		return Finding{"client", "failed", "the provider does not accept client id and secret sent by " + p.cfg.ClientAuth, "check auth.client_id, auth.client_secret and auth.client_auth"}
	case answer.ErrorCode == "invalid_grant":
		return Finding{"client", "ok", "the provider knows the client", ""}
	case answer.ErrorCode == "unauthorized_client":
		return Finding{"client", "warning", "the provider knows the client, but perhaps not for the code flow", "allow the authorization code grant for the client"}
	}
	return Finding{"client", "warning", "the token endpoint answers " + describe(answer), ""}
}
