package openid

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// Validate returns the problems of the provider's settings, without asking the provider.
func (c Config) Validate() []setting.Problem {
	problems := c.validateIssuer()
	problems = append(problems, c.validateClient()...)
	problems = append(problems, c.validateScopes()...)
	problems = append(problems, c.validateChoices()...)
	problems = append(problems, c.validateParams()...)
	return append(problems, c.validateEndpoints()...)
}

func (c Config) validateClient() []setting.Problem {
	problems := c.validateClientID()
	if !slices.Contains(clientAuths, c.ClientAuth) {
		cure := "write header, body or none"
		if near := setting.Nearest(c.ClientAuth, clientAuths); near != "" {
			cure = "did you mean " + near + "?"
		}
		text := fmt.Sprintf("%q is not a valid value", c.ClientAuth)
		return append(problems, setting.Mistake("auth.client_auth", text, cure)...)
	}
	return append(problems, c.validateClientSecret()...)
}

func (c Config) validateClientID() []setting.Problem {
	switch {
	case c.ClientID == "":
		return setting.Mistake("auth.client_id", "required", "write the ID of the app client")
	case setting.HasPlaceholder(c.ClientID):
		return setting.Mistake("auth.client_id", "the placeholder is still there", "write the ID of your app client")
	case strings.ContainsFunc(c.ClientID, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return setting.Mistake("auth.client_id", "contains white space or a control character", "remove it")
	case strings.ContainsFunc(c.ClientID, func(r rune) bool { return r > '~' }):
		return setting.Mistake("auth.client_id", "contains a character outside ASCII, which may be invisible",
			"copy the client ID again")
	}
	return nil
}

func (c Config) validateClientSecret() []setting.Problem {
	const key = "auth.client_secret"
	switch secret := c.ClientSecret.Reveal(); {
	case c.ClientAuth == "none" && secret != "":
		return setting.Mistake(key, "has no effect with client_auth: none", "remove it, or write client_auth: header")
	case c.ClientAuth != "none" && secret == "":
		return setting.Mistake(key, "required",
			"write client_secret: ${NAME}, or client_auth: none for a client without a secret")
	case setting.HasPlaceholder(secret):
		return setting.Mistake(key, "the placeholder is still there", "write ${NAME} or ${file:PATH}")
	case setting.IsNone(secret) || setting.MeansNone(secret):
		return setting.Mistake(key, setting.Quote(secret)+" is not a secret",
			"write client_auth: none for a client without a secret, and remove client_secret")
	case strings.TrimSpace(secret) != secret:
		return setting.Mistake(key, "begins or ends with white space", "remove the white space")
	}
	return nil
}

func (c Config) validateScopes() []setting.Problem {
	const cure = "[openid, email, profile]"
	var problems []setting.Problem
	for i, scope := range c.Scopes {
		if scope == "" || strings.ContainsAny(scope, " ,\t\r\n") {
			problems = append(problems, setting.Mistake(fmt.Sprintf("auth.scopes[%d]", i),
				fmt.Sprintf("%q is not a scope", scope), "write one scope in each entry: "+cure)...)
		}
	}
	if len(problems) == 0 && !slices.Contains(c.Scopes, "openid") {
		return setting.Mistake("auth.scopes", "the scope openid is missing, without which nobody can log in", "write "+cure)
	}
	return append(problems, c.validateCognitoScopes()...)
}

// cognitoScopes are the scopes of every user pool. All others are SERVER/NAME, of a resource server.
var cognitoScopes = []string{"openid", "email", "profile", "phone", "aws.cognito.signin.user.admin"}

// validateCognitoScopes rejects scopes that a user pool cannot have: Cognito answers each login with invalid_scope.
func (c Config) validateCognitoScopes() []setting.Problem {
	var problems setting.Problems
	for i, scope := range c.Scopes {
		if !c.Cognito() || strings.ContainsAny(scope, "/ ,\t\r\n") || slices.Contains(cognitoScopes, scope) || scope == "" {
			continue
		}
		cure := "remove it"
		switch near := setting.Nearest(scope, cognitoScopes); {
		case scope == "offline_access":
			cure = "remove it: Cognito issues refresh tokens without it"
		case scope == "groups" || scope == "cognito:groups":
			cure = "remove it: Cognito's ID tokens have the groups without it"
		case near != "":
			cure = "did you mean " + near + "?"
		}
		problems.Add(fmt.Sprintf("auth.scopes[%d]", i),
			setting.Quote(scope)+" is not a scope of Cognito, which rejects it", cure)
	}
	return problems
}

// logouts are the values of logout.
var logouts = []string{"auto", "cognito", "oidc", "local"}

func (c Config) validateChoices() []setting.Problem {
	var problems []setting.Problem
	if !slices.Contains(logouts, c.Logout) {
		text := fmt.Sprintf("%q is not a valid value", c.Logout)
		problems = append(problems, setting.Mistake("auth.logout", text, "write auto, cognito, oidc or local")...)
	}
	if c.GroupsClaim == "" {
		cure := "write the name of the claim that contains the groups"
		problems = append(problems, setting.Mistake("auth.groups_claim", "must not be empty", cure)...)
	}
	if session.IsCRMClaim(c.GroupsClaim) {
		text := setting.Quote(c.GroupsClaim) + " is ignored in a token, because rules read hubspot.NAME from HubSpot"
		cure := "write the name of another claim that contains the groups"
		problems = append(problems, setting.Mistake("auth.groups_claim", text, cure)...)
	}
	if c.ClockSkew > time.Minute {
		text := "may be at most 60s, not " + setting.Duration(c.ClockSkew).String()
		cure := "write 0s to 60s, and synchronize the clocks"
		problems = append(problems, setting.Mistake("auth.clock_skew", text, cure)...)
	}
	return problems
}

// ownParams are the parameters that the gateway sets in the authorize URL. Overriding them would disable its protection
// against login CSRF and injected codes or tokens.
var ownParams = []string{"client_id", "redirect_uri", "scope", "state", "nonce", "prompt", "max_age"}

func isOwnParam(name string) bool {
	for _, prefix := range []string{"response_", "code_challenge", "request"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "" || slices.Contains(ownParams, name)
}

func (c Config) validateParams() []setting.Problem {
	var problems []setting.Problem
	for _, name := range slices.Sorted(maps.Keys(c.AuthorizeParams)) {
		if isOwnParam(name) {
			problems = append(problems, setting.Mistake(setting.Join("auth.authorize_params", name),
				"the gateway sets this parameter itself", "remove it; write scopes in auth.scopes")...)
		}
	}
	return problems
}

func (c Config) validateEndpoints() []setting.Problem {
	e := c.Endpoints
	if e == (Endpoints{}) {
		return nil
	}
	if c.UserPool != "" {
		return setting.Mistake("auth.endpoints", "has no effect with user_pool, which implies the endpoints", "remove it")
	}
	var problems []setting.Problem
	for _, endpoint := range []struct {
		key, address string
		required     bool
	}{
		{"authorize", e.Authorize, true}, {"token", e.Token, true}, {"jwks", e.JWKS, true},
		{"userinfo", e.Userinfo, false}, {"logout", e.Logout, false}, {"revoke", e.Revoke, false},
	} {
		key := "auth.endpoints." + endpoint.key
		switch {
		case endpoint.address == "" && endpoint.required:
			problems = append(problems, setting.Mistake(key, "required when any endpoint is set", "write its URL")...)
		case endpoint.address != "" && !safeEndpoint(endpoint.address):
			text := fmt.Sprintf("%q is not an https URL", endpoint.address)
			problems = append(problems, setting.Mistake(key, text, cureHTTPS)...)
		}
	}
	return problems
}

const cureHTTPS = "write https://; http:// is allowed only for loopback addresses"

// safeEndpoint reports whether text is an https URL, or an http URL of this machine. Requests to any other URL would be
// readable on the network (CWE-319).
func safeEndpoint(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || (u.Scheme == "http" && inbound.IsLoopback(u.Hostname()))
}
