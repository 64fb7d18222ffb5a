package openid

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

const cureUserPool = "write user_pool: REGION_ID"

func (c Config) validateIssuer() []setting.Problem {
	switch {
	case c.UserPool == "" && c.Issuer == "":
		return []setting.Problem{{
			Key: "auth", Either: [3]string{"auth.user_pool", "auth.issuer"}, Text: "no login provider is set",
			Cure: "write user_pool: eu-west-1_AbCdEf123 for Cognito, or issuer: https://id.example.com for another provider",
		}}
	case c.UserPool != "" && c.Issuer != "":
		return setting.Mistake("auth.issuer", "cannot be combined with user_pool, which implies the issuer",
			"remove one of them")
	case setting.HasPlaceholder(c.UserPool + c.Issuer):
		return setting.Mistake(c.issuerKey(), "the placeholder is still there", "write your own")
	case c.UserPool == "":
		return validateIssuerURL(c.Issuer)
	case !poolID.MatchString(c.UserPool):
		cure := "write REGION_ID as the AWS console shows it, such as eu-west-1_AbCdEf123"
		if pool := poolIn(c.UserPool); pool != "" {
			cure = "write user_pool: " + pool
		}
		return setting.Mistake("auth.user_pool", setting.Quote(c.UserPool)+" is not a user pool ID", cure)
	}
	return nil
}

var poolAnywhere = regexp.MustCompile(
	`(?:^|[^0-9A-Za-z-])([a-z]{2,4}(?:-[a-z]+)+-\d{1,2}_[0-9A-Za-z]+)(?:$|[^0-9A-Za-z_-])`,
)

// poolIn returns the user pool ID in a text such as an ARN or a URL, or "".
func poolIn(text string) string {
	if m := poolAnywhere.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// endpointPath matches paths of OpenID Connect endpoints, which no issuer has.
var endpointPath = regexp.MustCompile(`/(authorize|token|userinfo|userInfo|login|jwks\.json)/?$`)

func validateIssuerURL(issuer string) []setting.Problem {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		cure := "write the issuer from the provider's discovery document, such as https://id.example.com"
		if pool := poolIn(issuer); pool != "" {
			cure = "for Cognito write user_pool: " + pool + " in place of issuer"
		}
		return setting.Mistake("auth.issuer", setting.Quote(issuer)+" is not a URL with scheme and host", cure)
	case u.Scheme == "http" && !inbound.IsLoopback(u.Hostname()):
		return setting.Mistake("auth.issuer", "http would let anyone on the network log in as any user", cureHTTPS)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return setting.Mistake("auth.issuer", fmt.Sprintf("%q has more than scheme, host and path", u.Redacted()),
			"write only the issuer")
	case strings.Contains(u.Path, "/.well-known"):
		return setting.Mistake("auth.issuer", "this is the URL of the discovery document, not the issuer",
			"write "+issuer[:strings.Index(issuer, "/.well-known")])
	case endpointPath.MatchString(u.Path):
		return setting.Mistake("auth.issuer", "this is the URL of one of the provider's endpoints, not the issuer",
			"write the issuer from the provider's discovery document")
	case strings.Contains(strings.ToLower(u.Host), ".amazoncognito."):
		return setting.Mistake("auth.issuer", "this is the URL of Cognito's login pages, not the issuer", cureUserPool)
	case isCognitoHost(issuer):
		return validateCognitoIssuer(u)
	}
	return nil
}

func validateCognitoIssuer(u *url.URL) []setting.Problem {
	pool := strings.Trim(u.Path, "/")
	m := poolID.FindStringSubmatch(pool)
	switch {
	case pool == "":
		return setting.Mistake("auth.issuer", "the user pool ID is missing after the host", cureUserPool)
	case m == nil:
		return setting.Mistake("auth.issuer", fmt.Sprintf("%q is not a user pool ID", pool), cureUserPool)
	case !strings.HasPrefix(strings.ToLower(u.Host), "cognito-idp."+m[1]+"."):
		text := fmt.Sprintf("region mismatch: user pool %s is in %s, but the host is %s", pool, m[1], u.Host)
		return setting.Mistake("auth.issuer", text, "write user_pool: "+pool)
	case strings.HasSuffix(u.Path, "/"):
		return setting.Mistake("auth.issuer", "trailing slash: issuers must match exactly, and Cognito's has none",
			"write user_pool: "+pool)
	case u.Host != strings.ToLower(u.Host) || u.Port() != "":
		return setting.Mistake("auth.issuer", "issuers must match exactly, and Cognito's has a lower-case host and no port",
			"write user_pool: "+pool)
	}
	return nil
}
