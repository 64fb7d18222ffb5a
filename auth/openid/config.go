package openid

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

// Config names the provider and the gateway's client there. Its keys are those of the YAML section auth.
type Config struct {
	UserPool           string // of Cognito; exactly one of UserPool and Issuer is set
	Issuer             string
	ClientID           string
	ClientSecret       setting.Secret
	ClientAuth         string // header | body | none
	Scopes             []string
	Logout             string // auto | cognito | oidc | local
	AuthorizeParams    map[string]string
	ClockSkew          time.Duration
	GroupsClaim        string
	Endpoints          Endpoints
	ClaimsFromUserinfo bool
}

// Endpoints are the endpoints of a provider without discovery. With discovery all are empty.
type Endpoints struct {
	Authorize string `yaml:"authorize" json:"authorize"`
	Token     string `yaml:"token" json:"token"`
	Userinfo  string `yaml:"userinfo" json:"userinfo"`
	JWKS      string `yaml:"jwks" json:"jwks"`
	Logout    string `yaml:"logout" json:"logout"`
	Revoke    string `yaml:"revoke" json:"revoke"`
}

var poolID = regexp.MustCompile(`^([a-z]{2,4}(?:-[a-z]+)+-\d{1,2})_[0-9A-Za-z]+$`)

// IssuerURL returns the issuer. For Cognito it follows from the user pool.
func (c Config) IssuerURL() string {
	if m := poolID.FindStringSubmatch(c.UserPool); m != nil {
		return "https://cognito-idp." + m[1] + "." + awsDomain(m[1]) + "/" + c.UserPool
	}
	return c.Issuer
}

// awsDomain returns the domain of a region's endpoints. Each AWS partition except the standard one and GovCloud has its
// own. For a partition that is missing here, set issuer instead of user_pool.
func awsDomain(region string) string {
	for _, partition := range []struct{ prefix, domain string }{
		{"cn-", "amazonaws.com.cn"}, {"eusc-", "amazonaws.eu"}, {"us-iso-", "c2s.ic.gov"},
		{"us-isob-", "sc2s.sgov.gov"}, {"eu-isoe-", "cloud.adc-e.uk"}, {"us-isof-", "csp.hci.ic.gov"},
	} {
		if strings.HasPrefix(region, partition.prefix) {
			return partition.domain
		}
	}
	return "amazonaws.com"
}

// Cognito reports whether the provider is a Cognito user pool, named by its ID or by its issuer.
func (c Config) Cognito() bool { return c.UserPool != "" || isCognitoHost(c.Issuer) }

func isCognitoHost(issuer string) bool {
	u, err := url.Parse(issuer)
	return err == nil && strings.HasPrefix(strings.ToLower(u.Host), "cognito-idp.")
}

// issuerKey returns the key that names the provider.
func (c Config) issuerKey() string {
	if c.UserPool != "" {
		return "auth.user_pool"
	}
	return "auth.issuer"
}
