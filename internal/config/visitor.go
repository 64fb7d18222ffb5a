package config

import (
	"time"

	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// LoggedIn returns the session of a visitor who logs in with the claims, for questions to the rules. Nil groups are
// those of the claim auth.groups_claim, as at a login. The e-mail address is verified unless the claims say otherwise.
func (c *Config) LoggedIn(groups []string, claims map[string]any) *session.Session {
	claims = c.Auth.OpenID().SplitClaims(claims)
	if groups == nil {
		groups = c.Auth.OpenID().GroupsIn(claims)
	}
	s := rules.LoggedIn(groups, claims, time.Now())
	if verified, stated := claims["email_verified"]; stated {
		s.EmailVerified = verified == true || verified == "true"
	}
	return s
}
