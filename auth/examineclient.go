package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/internal/dependency"
)

// examineClient tries the client with a code that cannot exist: a provider that knows it answers invalid_grant. After a
// refusal, whatever its code, the other ways to send the secret are tried, and the authorization endpoint is asked
// whether it knows the client at all. known reports whether asking further makes sense.
func (p *Provider) examineClient(ctx context.Context, e *endpoints, returns []Return) (f Finding, known bool) {
	callback := callbackOf(returns)
	code, err := p.tryCode(ctx, e, p.cfg, callback)
	switch {
	case err != nil:
		return Finding{"client", failure, "the token endpoint " + e.Token + " gives no answer: " + cause(err), "let this machine reach the provider", "network"}, true
	case code == "invalid_grant":
		return Finding{Part: "client", Status: fine, Detail: "the provider knows the client, and takes its secret"}, true
	case strings.Contains(code, " "): // no OAuth error: a status, or a token
		return Finding{"client", doubt, "the token endpoint answers " + code, "look at the provider's log", "provider"}, true
	}
	for _, way := range []string{"header", "body", "none"} {
		other := p.cfg
		if other.ClientAuth = way; way == p.cfg.ClientAuth || way != "none" && p.cfg.ClientSecret == "" {
			continue
		}
		if way == "none" {
			other.ClientSecret = ""
		}
		if code, err := p.tryCode(ctx, e, other, callback); err == nil && code == "invalid_grant" {
			return wrongWay(p.cfg.ClientAuth, way), true
		}
	}
	if code != "invalid_client" && code != "unauthorized_client" {
		return Finding{"client", doubt, "the token endpoint answers " + code, "look at the provider's log", "provider"}, true
	}
	return p.refused(ctx, e, code, returns)
}

func wrongWay(given, right string) Finding {
	f := Finding{"client", failure, fmt.Sprintf("the provider does not take the client's secret by client_auth %s, but by %s", given, right), "write client_auth: " + right, "auth.client_auth"}
	if right == "none" {
		f.Detail, f.Cure = "the client has no secret at the provider, but the configuration sends one", "write client_auth: none and remove client_secret, or make a client with a secret"
	}
	return f
}

// refused tells an unknown client from a known one whose secret is wrong.
func (p *Provider) refused(ctx context.Context, e *endpoints, code string, returns []Return) (f Finding, known bool) {
	callback := callbackOf(returns)
	real, stranger := p.authorizes(ctx, e, p.cfg.ClientID, callback), p.authorizes(ctx, e, "hubgate-check-of-an-unknown-client", callback)
	switch {
	case code == "unauthorized_client":
		return Finding{"client", failure, "the provider knows the client, but not for the code flow", "allow the authorization code grant for the client", p.console("Login pages")}, true
	case real.kind == unknownClient:
		return Finding{"client", failure, "the provider knows no client " + p.cfg.ClientID, "write the client id of the app client", "auth.client_id"}, false
	case real.kind != stranger.kind || real.kind == wrongReturn && stranger.kind == wrongReturn && real.text != stranger.text:
		return Finding{"client", failure, "the provider knows the client, but does not take its secret", secretCure(p.cfg), "auth.client_secret"}, true
	}
	return Finding{"client", failure, "the provider does not take client id and secret, sent by client_auth " + p.cfg.ClientAuth, "copy client id and secret again", "auth.client_id, auth.client_secret"}, false
}

func secretCure(cfg Config) string {
	if cfg.ClientAuth == "none" {
		return "the client has a secret: write client_secret, and client_auth: header"
	}
	return "copy the secret again, without white space; after a rotation take the new one"
}

// callbackOf is the callback URL that a login would name.
func callbackOf(returns []Return) string {
	if len(returns) > 0 {
		return returns[0].Callback
	}
	return "https://hubgate.invalid/check"
}

// tryCode exchanges a code that cannot exist, as a login does it, and returns the OAuth error code.
func (p *Provider) tryCode(ctx context.Context, e *endpoints, cfg Config, callback string) (code string, err error) {
	other := &Provider{cfg: cfg, deps: p.deps}
	grant := codeGrant("hubgate-check", callback, oauth2.GenerateVerifier())
	_, err = other.requestToken(ctx, e, dependency.OpToken, grant)
	var answer *oauth2.RetrieveError
	switch {
	case err == nil:
		return "a token for a code that does not exist", nil
	case !errors.As(err, &answer):
		return "", err
	case answer.ErrorCode == "":
		return describe(answer), nil
	}
	return answer.ErrorCode, nil
}

// The ways in which an authorization endpoint answers.
const (
	loginPage     = "login"    // the request is fine: it asks who is there
	backHere      = "callback" // the request is not fine, and the callback is told so: it is registered
	wrongReturn   = "redirect"
	unknownClient = "client"
	otherRefusal  = "refusal"
)

type authorization struct{ kind, text string }

// authorizes begins a login as a browser would, without following it.
func (p *Provider) authorizes(ctx context.Context, e *endpoints, clientID, callback string) authorization {
	q := url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {callback}, "scope": {strings.Join(p.cfg.Scopes, " ")}, "state": {"hubgate-check"},
		"nonce": {"hubgate-check"}, "code_challenge": {oauth2.S256ChallengeFromVerifier(oauth2.GenerateVerifier())}, "code_challenge_method": {"S256"},
	}
	for name, value := range p.cfg.AuthorizeParams {
		q.Set(name, value)
	}
	status, location, body, err := p.visit(ctx, e.Authorize, q)
	if err != nil {
		return authorization{otherRefusal, cause(err)}
	}
	if to, err := url.Parse(location); err == nil && location != "" {
		if code := to.Query().Get("error"); code != "" || strings.HasPrefix(location, callback) {
			return toldBy(location, callback, code)
		}
		return authorization{loginPage, ""}
	}
	if status < 400 {
		return authorization{loginPage, ""}
	}
	return saidBy(fmt.Sprintf("%d", status), body)
}

func toldBy(location, callback, code string) authorization {
	if strings.HasPrefix(location, callback) {
		return authorization{backHere, code}
	}
	return saidBy(code, code)
}

// saidBy reads an error page: its words differ from provider to provider.
func saidBy(short, text string) authorization {
	switch text = strings.ToLower(text); {
	case strings.Contains(text, "redirect"):
		return authorization{wrongReturn, short}
	case strings.Contains(text, "client"):
		return authorization{unknownClient, short}
	}
	return authorization{otherRefusal, short}
}

func (p *Provider) visit(ctx context.Context, address string, q url.Values) (status int, location, body string, err error) {
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+separator+q.Encode(), nil)
	if err != nil {
		return 0, "", "", err
	}
	req.Header.Set("Accept", "text/html")
	res, err := p.deps.Client.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return res.StatusCode, res.Header.Get("Location"), string(text), err
}

// examineReturn finds out, as far as it can be seen without logging in, whether a host's addresses are registered.
func (p *Provider) examineReturn(ctx context.Context, e *endpoints, r Return) []Finding {
	f := Finding{Part: "callback", Status: failure, Where: p.console("Login pages, Allowed callback URLs")}
	switch got := p.authorizes(ctx, e, p.cfg.ClientID, r.Callback); {
	case got.kind == loginPage && p.authorizes(ctx, e, p.cfg.ClientID, "https://hubgate.invalid/check").kind == loginPage:
		f = Finding{Part: "callback", Status: fine, Detail: r.Callback + " is not refused before the login; whether it is registered cannot be seen"}
	case got.kind == loginPage, got.kind == backHere && (got.text == "" || got.text == "login_required"):
		f = Finding{Part: "callback", Status: fine, Detail: r.Callback + " is registered"}
	case got.kind == backHere:
		f.Detail, f.Cure, f.Where = r.Callback+" is registered, but the provider answers "+clip(got.text), "allow the code grant and the scopes "+strings.Join(p.cfg.Scopes, ", ")+" for the client", p.console("Login pages")
	case got.kind == wrongReturn:
		f.Detail, f.Cure = r.Callback+" is not registered", "register exactly this URL"
	default:
		f.Status, f.Detail, f.Cure = doubt, "the authorization endpoint refuses a login: "+clip(got.text), "see that "+r.Callback+" is registered"
	}
	return append([]Finding{f}, p.examineSignedOut(ctx, e, r)...)
}

// examineSignedOut asks Cognito's logout, which ends nothing without a browser's cookie.
func (p *Provider) examineSignedOut(ctx context.Context, e *endpoints, r Return) []Finding {
	if p.logoutKind(e) != "cognito" {
		return nil
	}
	address := e.Logout
	if address == "" {
		address = originOf(e.Authorize) + "/logout"
	}
	status, location, _, err := p.visit(ctx, address, url.Values{"client_id": {p.cfg.ClientID}, "logout_uri": {r.SignedOut}})
	switch {
	case err == nil && location == r.SignedOut:
		return []Finding{{Part: "logout", Status: fine, Detail: r.SignedOut + " is registered"}}
	case err == nil && (strings.Contains(location, "error=") || status >= 400):
		return []Finding{{"logout", failure, r.SignedOut + " is not registered, so that a logout ends on an error page", "register exactly this URL", p.console("Login pages, Allowed sign-out URLs")}}
	}
	return []Finding{{"logout", doubt, "it cannot be seen whether " + r.SignedOut + " is registered", "compare it with the list", p.console("Login pages, Allowed sign-out URLs")}}
}
