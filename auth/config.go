package auth

import (
	"time"

	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/setting"
)

// Config is the YAML section auth. Exactly one of UserPool and Issuer is set.
type Config struct {
	UserPool           string                 `yaml:"user_pool" json:"user_pool"`
	Issuer             string                 `yaml:"issuer" json:"issuer"`
	ClientID           string                 `yaml:"client_id" json:"client_id"`
	ClientSecret       setting.Secret         `yaml:"client_secret" json:"client_secret"`
	ClientAuth         string                 `yaml:"client_auth" json:"client_auth"` // header | body | none
	Scopes             []string               `yaml:"scopes" json:"scopes"`
	Prefix             string                 `yaml:"prefix" json:"prefix"`
	Logout             string                 `yaml:"logout" json:"logout"` // auto | cognito | oidc | local
	AuthorizeParams    map[string]string      `yaml:"authorize_params" json:"authorize_params"`
	RefreshGrace       setting.DurationOrNone `yaml:"refresh_grace" json:"refresh_grace"`
	BackchannelLogout  bool                   `yaml:"backchannel_logout" json:"backchannel_logout"`
	ClockSkew          setting.Duration       `yaml:"clock_skew" json:"clock_skew"`
	GroupsClaim        string                 `yaml:"groups_claim" json:"groups_claim"`
	AfterLogout        string                 `yaml:"after_logout" json:"after_logout"`
	AdminGroups        []string               `yaml:"admin_groups" json:"admin_groups"`
	Endpoints          openid.Endpoints       `yaml:"endpoints" json:"endpoints"`
	ClaimsFromUserinfo bool                   `yaml:"claims_from_userinfo" json:"claims_from_userinfo"`
	LoginRate          setting.Rate           `yaml:"login_rate" json:"login_rate"`
	ForwardAuth        string                 `yaml:"forward_auth" json:"forward_auth"` // query | headers
}

// DefaultConfig returns the defaults of the section.
func DefaultConfig() Config {
	return Config{
		ClientAuth:   "header",
		Scopes:       []string{"openid", "email", "profile"},
		Prefix:       "/oauth2",
		Logout:       "auto",
		RefreshGrace: setting.DurationOrNone(time.Hour),
		ClockSkew:    setting.Duration(30 * time.Second),
		GroupsClaim:  "cognito:groups",
		LoginRate:    setting.Rate{Requests: 30, Per: setting.Duration(time.Minute)},
		ForwardAuth:  "query",
	}
}

// OpenID returns the settings of the provider and of the gateway's client there.
func (c Config) OpenID() openid.Config {
	return openid.Config{
		UserPool: c.UserPool, Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: c.ClientSecret,
		ClientAuth: c.ClientAuth, Scopes: c.Scopes, Logout: c.Logout, AuthorizeParams: c.AuthorizeParams,
		ClockSkew: c.ClockSkew.D(), GroupsClaim: c.GroupsClaim, Endpoints: c.Endpoints,
		ClaimsFromUserinfo: c.ClaimsFromUserinfo,
	}
}
