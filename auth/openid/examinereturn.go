package openid

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/internal/setting"
)

// authorizationKind classifies the responses of an authorization endpoint.
type authorizationKind int

const (
	otherRefusal  authorizationKind = iota
	loginPage                       // the request is valid: the provider shows its login page
	redirected                      // the request is invalid, and the error goes to the callback, which is registered
	wrongRedirect                   // the callback is not registered
	unknownClient
)

// authorization is a response of the authorization endpoint. text is an error code or a status.
type authorization struct {
	kind authorizationKind
	text string
}

// authorize begins a login as a browser does, without following redirects.
func (x *examination) authorize(ctx context.Context, clientID, callback string) authorization {
	q := url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {callback},
		"scope": {strings.Join(x.cfg.Scopes, " ")}, "state": {"hubgate-check"}, "nonce": {"hubgate-check"},
		"code_challenge":        {oauth2.S256ChallengeFromVerifier(oauth2.GenerateVerifier())},
		"code_challenge_method": {"S256"},
	}
	for name, value := range x.cfg.AuthorizeParams {
		q.Set(name, value)
	}
	page, err := x.open(ctx, withQuery(x.metadata.Authorize, q))
	if err != nil {
		return authorization{otherRefusal, cause(err)}
	}
	if to, err := url.Parse(page.location); err == nil && page.location != "" {
		code := to.Query().Get("error")
		switch {
		case strings.HasPrefix(page.location, callback):
			return authorization{redirected, code}
		case code != "":
			return classifyError(code, code)
		}
		return authorization{loginPage, ""}
	}
	if page.status < 400 {
		return authorization{loginPage, ""}
	}
	return classifyError(fmt.Sprint(page.status), page.body)
}

// classifyError classifies an error page or code. The wording differs from provider to provider.
func classifyError(short, text string) authorization {
	switch text = strings.ToLower(text); {
	case strings.Contains(text, "redirect"):
		return authorization{wrongRedirect, short}
	case strings.Contains(text, "client"):
		return authorization{unknownClient, short}
	}
	return authorization{otherRefusal, short}
}

// page is a response to a browser.
type page struct {
	status         int
	location, body string
}

func (x *examination) open(ctx context.Context, address string) (page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return page{}, err
	}
	req.Header.Set("Accept", "text/html")
	res, err := x.deps.Client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return page{res.StatusCode, res.Header.Get("Location"), string(text)}, err
}

// callback checks, as far as possible without a login, whether a callback URL is registered.
func (x *examination) callback(ctx context.Context, address string) setting.Finding {
	f := setting.Finding{Part: "callback", Status: setting.Failed, Where: x.console("Login pages, Allowed callback URLs")}
	got := x.authorize(ctx, x.cfg.ClientID, address)
	switch {
	case got.kind == loginPage && x.authorize(ctx, x.cfg.ClientID, examineCallback).kind == loginPage:
		detail := address + " is accepted before the login; the provider does not show whether it is registered"
		return setting.Finding{Part: "callback", Status: setting.OK, Detail: detail}
	case got.kind == loginPage, got.kind == redirected && (got.text == "" || got.text == "login_required"):
		return setting.Finding{Part: "callback", Status: setting.OK, Detail: address + " is registered"}
	case got.kind == redirected:
		f.Detail = address + " is registered, but the provider returns " + clip(got.text)
		f.Cure = "allow the code grant and the scopes " + strings.Join(x.cfg.Scopes, ", ") + " for the client"
		f.Where = x.console("Login pages")
	case got.kind == wrongRedirect:
		f.Detail, f.Cure = address+" is not registered", "register exactly this URL"
	default:
		f.Status, f.Detail = setting.Warning, "the authorization endpoint refuses a login: "+clip(got.text)
		f.Cure = "check that " + address + " is registered"
	}
	return f
}

// signedOut checks a sign-out URL at Cognito's logout endpoint, which ends no session without a browser's cookie.
func (x *examination) signedOut(ctx context.Context, address string) []setting.Finding {
	if x.cfg.logoutKind(x.metadata) != "cognito" {
		return nil
	}
	q := url.Values{"client_id": {x.cfg.ClientID}, "logout_uri": {address}}
	got, err := x.open(ctx, withQuery(cognitoLogout(x.metadata), q))
	f := setting.Finding{Part: "logout", Where: x.console("Login pages, Allowed sign-out URLs")}
	switch {
	case err == nil && got.location == address:
		f = setting.Finding{Part: "logout", Status: setting.OK, Detail: address + " is registered"}
	case err == nil && (strings.Contains(got.location, "error=") || got.status >= 400):
		f.Status, f.Detail = setting.Failed, address+" is not registered, so a logout ends on an error page"
		f.Cure = "register exactly this URL"
	default:
		f.Status, f.Detail = setting.Warning, "the provider does not show whether "+address+" is registered"
		f.Cure = "compare it with the list"
	}
	return []setting.Finding{f}
}
