package openid

import (
	"context"
	"errors"
	"fmt"

	"github.com/hubgate/hubgate/internal/setting"
)

// examineCallback is a callback URL that no client has registered.
const examineCallback = "https://hubgate.invalid/check"

// unknownClientID is a client_id that no provider knows.
const unknownClientID = "hubgate-check-of-an-unknown-client"

// client sends a code that cannot exist. A provider that accepts the client returns invalid_grant. Otherwise it tries
// the other client authentication methods, and then the client_id at the authorization endpoint. known reports whether
// further checks make sense.
func (x *examination) client(ctx context.Context) (f setting.Finding, known bool) {
	err := x.tokens.tryCode(ctx, x.metadata, x.callbackURL())
	var refusal *Refusal
	switch {
	case err == nil:
		return clientWarning("token endpoint: sent tokens for a code that does not exist"), true
	case !errors.As(err, &refusal):
		detail := "no response from the token endpoint " + x.metadata.Token + ": " + cause(err)
		return setting.Finding{
			Part: "client", Status: setting.Failed, Detail: detail, Cure: cureNetwork, Where: "network",
		}, true
	case refusal.code == "invalid_grant":
		detail := "the provider accepts the client and its secret"
		return setting.Finding{Part: "client", Status: setting.OK, Detail: detail}, true
	case refusal.code == "":
		return clientWarning(refusal.Error()), true
	}
	if method := x.acceptedClientAuth(ctx); method != "" {
		return wrongClientAuth(x.cfg.ClientAuth, method), true
	}
	if refusal.code != "invalid_client" && refusal.code != "unauthorized_client" {
		return clientWarning("token endpoint: " + SafeErrorCode(refusal.code)), true
	}
	return x.refusedClient(ctx, refusal.code)
}

func clientWarning(detail string) setting.Finding {
	const cure = "check the provider's log"
	return setting.Finding{Part: "client", Status: setting.Warning, Detail: detail, Cure: cure, Where: "provider"}
}

// acceptedClientAuth returns another client_auth that the provider accepts, or "".
func (x *examination) acceptedClientAuth(ctx context.Context) string {
	for _, method := range clientAuths {
		if method == x.cfg.ClientAuth || method != "none" && x.cfg.ClientSecret == "" {
			continue
		}
		other := x.tokens
		if other.cfg.ClientAuth = method; method == "none" {
			other.cfg.ClientSecret = ""
		}
		var refusal *Refusal
		err := other.tryCode(ctx, x.metadata, x.callbackURL())
		if errors.As(err, &refusal) && refusal.code == "invalid_grant" {
			return method
		}
	}
	return ""
}

func wrongClientAuth(given, right string) setting.Finding {
	f := setting.Finding{Part: "client", Status: setting.Failed, Where: "auth.client_auth"}
	f.Detail = fmt.Sprintf("the provider rejects client_auth %s, and accepts %s", given, right)
	f.Cure = "write client_auth: " + right
	if right == "none" {
		f.Detail = "the client has no secret at the provider, but the configuration sends one"
		f.Cure = "write client_auth: none and remove client_secret, or create a client with a secret"
	}
	return f
}

// refusedClient distinguishes an unknown client from a known one with a wrong secret: the authorization endpoint
// responds differently for a client that cannot exist.
func (x *examination) refusedClient(ctx context.Context, code string) (f setting.Finding, known bool) {
	callback := x.callbackURL()
	real := x.authorize(ctx, x.cfg.ClientID, callback)
	unknown := x.authorize(ctx, unknownClientID, callback)
	f = setting.Finding{Part: "client", Status: setting.Failed}
	switch {
	case code == "unauthorized_client":
		f.Detail = "the authorization code grant is not allowed for the client"
		f.Cure, f.Where = "allow the authorization code grant for the client", x.console("Login pages")
		return f, true
	case real.kind == unknownClient:
		f.Detail = "the provider does not know the client " + x.cfg.ClientID
		f.Cure, f.Where = "write the client ID of the app client", "auth.client_id"
		return f, false
	case real.kind != unknown.kind,
		real.kind == wrongRedirect && unknown.kind == wrongRedirect && real.text != unknown.text:
		f.Detail = "the provider knows the client, but rejects its secret"
		f.Cure, f.Where = x.cfg.secretCure(), "auth.client_secret"
		return f, true
	}
	f.Detail = "the provider rejects client ID and secret, sent with client_auth " + x.cfg.ClientAuth
	f.Cure, f.Where = "copy client ID and secret again", "auth.client_id, auth.client_secret"
	return f, false
}

func (c Config) secretCure() string {
	if c.ClientAuth == "none" {
		return "the client has a secret: write client_secret, and client_auth: header"
	}
	return "copy the secret again, without white space; after a rotation, copy the new one"
}

// callbackURL returns the redirect_uri that a login sends.
func (x *examination) callbackURL() string {
	if len(x.returns) > 0 {
		return x.returns[0].Callback
	}
	return examineCallback
}

// clientAuths are the values of client_auth.
var clientAuths = []string{"header", "body", "none"}
