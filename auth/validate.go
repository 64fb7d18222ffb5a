package auth

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

var poolID = regexp.MustCompile(`^([a-z]{2,4}(?:-[a-z]+)+-\d{1,2})_[0-9A-Za-z]+$`)

// IssuerURL is the issuer, which for Cognito follows from the pool.
func (c Config) IssuerURL() string {
	if m := poolID.FindStringSubmatch(c.UserPool); m != nil {
		return "https://cognito-idp." + m[1] + "." + awsDomain(m[1]) + "/" + c.UserPool
	}
	return c.Issuer
}

// awsDomain is the domain of a region's endpoints: each partition of AWS but the standard one and GovCloud has its own.
// For one that is missing here, issuer says it.
func awsDomain(region string) string {
	for _, partition := range []struct{ prefix, domain string }{
		{"cn-", "amazonaws.com.cn"}, {"eusc-", "amazonaws.eu"}, {"us-iso-", "c2s.ic.gov"}, {"us-isob-", "sc2s.sgov.gov"},
		{"eu-isoe-", "cloud.adc-e.uk"}, {"us-isof-", "csp.hci.ic.gov"},
	} {
		if strings.HasPrefix(region, partition.prefix) {
			return partition.domain
		}
	}
	return "amazonaws.com"
}

// cognito tells whether the provider is a Cognito pool, however it was named.
func (c Config) cognito() bool { return c.UserPool != "" || isCognitoHost(c.Issuer) }

func isCognitoHost(issuer string) bool {
	u, err := url.Parse(issuer)
	return err == nil && strings.HasPrefix(strings.ToLower(u.Host), "cognito-idp.")
}

// Validate says what is wrong with the section on its own.
func (c Config) Validate() []setting.Problem {
	problems := c.validateIssuer()
	problems = append(problems, c.validateClient()...)
	problems = append(problems, c.validateWords()...)
	problems = append(problems, c.validateParams()...)
	problems = append(problems, c.validateEndpoints()...)
	return append(problems, c.validateNumbers()...)
}

func problem(key, text, cure string) []setting.Problem {
	return []setting.Problem{{Key: "auth." + key, Text: text, Cure: cure}}
}

func (c Config) validateIssuer() []setting.Problem {
	switch {
	case c.UserPool == "" && c.Issuer == "":
		return []setting.Problem{{Key: "auth", Text: "no login provider is set", Cure: "write user_pool: eu-west-1_AbCdEf123 for Cognito, or issuer: https://id.example.com for another provider"}}
	case c.UserPool != "" && c.Issuer != "":
		return problem("issuer", "cannot be combined with user_pool, which implies the issuer", "remove one of them")
	case strings.Contains(c.UserPool+c.Issuer, "REPLACE_"):
		key := "issuer"
		if c.UserPool != "" {
			key = "user_pool"
		}
		return problem(key, "the placeholder is still there", "write your own")
	case c.UserPool != "":
		if poolID.MatchString(c.UserPool) {
			return nil
		}
		return problem("user_pool", fmt.Sprintf("%q is not a user pool ID", c.UserPool), "write REGION_ID as the AWS console shows it, such as eu-west-1_AbCdEf123")
	}
	return validateIssuerURL(c.Issuer)
}

func validateIssuerURL(issuer string) []setting.Problem {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return problem("issuer", fmt.Sprintf("%q is not a URL with scheme and host", issuer), "write the issuer from the provider's discovery document, such as https://id.example.com")
	case u.Scheme == "http" && !inbound.IsLoopback(u.Hostname()):
		return problem("issuer", "http would let anyone on the network log in as any user", "write https://; http:// is allowed only for loopback addresses")
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return problem("issuer", fmt.Sprintf("%q has more than scheme, host and path", u.Redacted()), "write only the issuer")
	case strings.Contains(u.Path, "/.well-known"):
		return problem("issuer", "this is the URL of the discovery document, not the issuer", "write "+issuer[:strings.Index(issuer, "/.well-known")])
	case endpointPath.MatchString(u.Path):
		return problem("issuer", "this is the URL of one of the provider's endpoints, not the issuer", "write the issuer from the provider's discovery document")
	case strings.Contains(strings.ToLower(u.Host), ".amazoncognito."):
		return problem("issuer", "this is the URL of Cognito's login pages, not the issuer", "write user_pool: REGION_ID")
	case isCognitoHost(issuer):
		return validateCognitoIssuer(u)
	}
	return nil
}

// endpointPath ends like the endpoints of OpenID Connect; no issuer does.
var endpointPath = regexp.MustCompile(`/(authorize|token|userinfo|userInfo|login|jwks\.json)/?$`)

func validateCognitoIssuer(u *url.URL) []setting.Problem {
	pool := strings.Trim(u.Path, "/")
	m := poolID.FindStringSubmatch(pool)
	switch {
	case pool == "":
		return problem("issuer", "the user pool ID is missing after the host", "write user_pool: REGION_ID")
	case m == nil:
		return problem("issuer", fmt.Sprintf("%q is not a user pool ID", pool), "write user_pool: REGION_ID")
	case !strings.HasPrefix(strings.ToLower(u.Host), "cognito-idp."+m[1]+"."):
		return problem("issuer", fmt.Sprintf("region mismatch: user pool %s is in %s, but the host is %s", pool, m[1], u.Host), "write user_pool: "+pool)
	case strings.HasSuffix(u.Path, "/"):
		return problem("issuer", "trailing slash: issuers must match exactly, and Cognito's has none", "write user_pool: "+pool)
	case u.Host != strings.ToLower(u.Host) || u.Port() != "":
		return problem("issuer", "issuers must match exactly, and Cognito's has a lower-case host and no port", "write user_pool: "+pool)
	}
	return nil
}

func (c Config) validateClient() []setting.Problem {
	var problems []setting.Problem
	switch {
	case c.ClientID == "":
		problems = problem("client_id", "required", "write the ID of the app client")
	case strings.Contains(c.ClientID, "REPLACE_"):
		problems = problem("client_id", "the placeholder is still there", "write the ID of your app client")
	case strings.ContainsFunc(c.ClientID, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		problems = problem("client_id", "contains white space or a control character", "remove it")
	case strings.ContainsFunc(c.ClientID, func(r rune) bool { return r > '~' }):
		problems = problem("client_id", "contains a character outside ASCII, which may be invisible", "copy the client ID again")
	}
	if !slices.Contains([]string{"header", "body", "none"}, c.ClientAuth) {
		cure := "write header, body or none"
		if near := setting.Nearest(c.ClientAuth, []string{"header", "body", "none"}); near != "" {
			cure = "did you mean " + near + "?"
		}
		return append(problems, problem("client_auth", fmt.Sprintf("%q is not a valid value", c.ClientAuth), cure)...)
	}
	switch secret := c.ClientSecret.Reveal(); {
	case c.ClientAuth == "none" && secret != "":
		problems = append(problems, problem("client_secret", "has no effect with client_auth: none", "remove it, or write client_auth: header")...)
	case c.ClientAuth != "none" && secret == "":
		problems = append(problems, problem("client_secret", "required", "write client_secret: ${NAME}, or client_auth: none for a client without a secret")...)
	case strings.Contains(secret, "REPLACE_"):
		problems = append(problems, problem("client_secret", "the placeholder is still there", "write ${NAME} or ${file:PATH}")...)
	case strings.TrimSpace(secret) != secret:
		problems = append(problems, problem("client_secret", "begins or ends with white space", "remove the white space")...)
	}
	return problems
}

// hubSpotPaths are first segments of what HubSpot serves on every site.
var hubSpotPaths = []string{"hs", "hubfs", "hs-fs", "hub", "cs", "e3t", "cdn-cgi"}

// forwardAuths are where the question of /oauth2/auth may be.
var forwardAuths = []string{"query", "headers"}

func (c Config) validateWords() []setting.Problem {
	var problems []setting.Problem
	for i, scope := range c.Scopes {
		if scope == "" || strings.ContainsAny(scope, " ,\t\r\n") {
			problems = append(problems, problem(fmt.Sprintf("scopes[%d]", i), fmt.Sprintf("%q is not a scope", scope), "write one scope in each entry: [openid, email, profile]")...)
		}
	}
	for i, group := range c.AdminGroups {
		if strings.TrimSpace(group) != group || group == "" {
			problems = append(problems, problem(fmt.Sprintf("admin_groups[%d]", i), fmt.Sprintf("%q is not a group name", group), "write a name without spaces around it")...)
		}
	}
	if len(problems) == 0 && !slices.Contains(c.Scopes, "openid") {
		problems = append(problems, problem("scopes", "the scope openid is missing, without which nobody can log in", "write [openid, email, profile]")...)
	}
	if !regexp.MustCompile(`^(/[a-z0-9][a-z0-9_-]*)+$`).MatchString(c.Prefix) || len(c.Prefix) > 64 {
		problems = append(problems, problem("prefix", fmt.Sprintf("%q is not a valid prefix", c.Prefix), "write a path of lower-case letters and digits without a trailing slash, such as /oauth2")...)
	}
	if first, _, _ := strings.Cut(strings.TrimPrefix(c.Prefix, "/"), "/"); slices.Contains(hubSpotPaths, first) {
		problems = append(problems, problem("prefix", fmt.Sprintf("would hide HubSpot's own paths below /%s", first), "write a path that the site does not use, such as /oauth2")...)
	}
	if !slices.Contains([]string{"auto", "cognito", "oidc", "local"}, c.Logout) {
		problems = append(problems, problem("logout", fmt.Sprintf("%q is not a valid value", c.Logout), "write auto, cognito, oidc or local")...)
	}
	if c.AfterLogout != "" && cleanReturn(c.AfterLogout, c.Prefix) != c.AfterLogout {
		problems = append(problems, problem("after_logout", fmt.Sprintf("%q is not a path on this site", c.AfterLogout), "write a path such as /goodbye")...)
	}
	if !slices.Contains(forwardAuths, c.ForwardAuth) {
		cure := "write query (nginx) or headers (Traefik, Caddy)"
		if near := setting.Nearest(c.ForwardAuth, forwardAuths); near != "" {
			cure = "did you mean " + near + "? " + cure
		}
		text := fmt.Sprintf("%q is not a valid value", c.ForwardAuth)
		problems = append(problems, problem("forward_auth", text, cure)...)
	}
	if c.GroupsClaim == "" {
		problems = append(problems, problem("groups_claim", "must not be empty", "write the name of the claim that contains the groups")...)
	}
	if c.BackchannelLogout && c.cognito() {
		problems = append(problems, problem("backchannel_logout", "has no effect: Cognito does not support back-channel logout", "remove it")...)
	}
	return problems
}

// ownParams are what the gateway itself puts into the authorize URL: setting one of them would undo what protects a login.
var ownParams = []string{"client_id", "redirect_uri", "scope", "state", "nonce", "prompt", "max_age"}

func (c Config) validateParams() []setting.Problem {
	var problems []setting.Problem
	names := make([]string, 0, len(c.AuthorizeParams))
	for name := range c.AuthorizeParams {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if slices.Contains(ownParams, name) || strings.HasPrefix(name, "response_") || strings.HasPrefix(name, "code_challenge") || strings.HasPrefix(name, "request") || name == "" {
			problems = append(problems, problem(setting.Join("authorize_params", name), "the gateway sets this parameter itself", "remove it; write scopes in auth.scopes")...)
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
		return problem("endpoints", "has no effect with user_pool, which implies the endpoints", "remove it")
	}
	var problems []setting.Problem
	for _, required := range []struct{ key, value string }{{"authorize", e.Authorize}, {"token", e.Token}, {"jwks", e.JWKS}} {
		if required.value == "" {
			problems = append(problems, problem("endpoints."+required.key, "required when any endpoint is set", "write its URL")...)
		}
	}
	for _, given := range []struct{ key, value string }{
		{"authorize", e.Authorize}, {"token", e.Token}, {"userinfo", e.Userinfo}, {"jwks", e.JWKS}, {"logout", e.Logout}, {"revoke", e.Revoke},
	} {
		if given.value != "" && !safeEndpoint(given.value) {
			problems = append(problems, problem("endpoints."+given.key, fmt.Sprintf("%q is not an https URL", given.value), "write https://; http:// is allowed only for loopback addresses")...)
		}
	}
	return problems
}

// safeEndpoint: https, or http to this machine (RP-18: a provider's document must not lead elsewhere in the clear).
func safeEndpoint(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || (u.Scheme == "http" && inbound.IsLoopback(u.Hostname()))
}

func (c Config) validateNumbers() []setting.Problem {
	var problems []setting.Problem
	if c.ClockSkew.D() > time.Minute {
		problems = append(problems, problem("clock_skew", "may be at most 60s, not "+c.ClockSkew.String(), "write 0s to 60s, and synchronize the clocks")...)
	}
	r := c.LoginRate
	if (r.Requests <= 0) && r != (setting.Rate{}) {
		problems = append(problems, problem("login_rate.requests", "must be greater than 0, or nobody can log in", "write a number such as 30, or login_rate: none")...)
	}
	if r.Requests > 0 && r.Per <= 0 {
		problems = append(problems, problem("login_rate.per", "required", "write a duration such as 1m")...)
	}
	return problems
}
