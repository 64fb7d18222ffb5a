package config

import (
	"time"

	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// LoggedIn returns the session of a visitor who logs in with the claims, for questions to the rules. Nil groups are
// those of the claim auth.groups_claim, as at a login.
func (c *Config) LoggedIn(groups []string, claims map[string]any) *session.Session {
	claims = c.Auth.OpenID().SplitClaims(claims)
	if groups == nil {
		groups = c.Auth.OpenID().GroupsIn(claims)
	}
	return rules.LoggedIn(groups, claims, time.Now())
}
