package config

import (
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

func TestContactGroupsAreThoseThatTheConfigurationNames(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Config){
		"": func(*Config) {},
		"a b": func(c *Config) {
			c.Proxy.Rules = []rules.RuleConfig{{Groups: []string{"b", "a"}}, {Groups: []string{"a"}}}
		},
		"admin": func(c *Config) { c.Auth.AdminGroups = []string{"admin"} },
		"press": func(c *Config) { c.Proxy.HubSpot.PreviewGroups = []string{"press"} },
		"gold": func(c *Config) {
			c.Auth.GroupsClaim = "roles"
			c.Proxy.Rules = []rules.RuleConfig{{Claims: map[string]setting.Words{"roles": {"gold"}, "tier": {"x"}}}}
		},
		"partner": func(c *Config) {
			c.Proxy.Rules = []rules.RuleConfig{{Groups: []string{"partner", "staff"}}}
			c.HubSpot.Contacts.Skip.Groups = []string{"staff"}
		},
	} {
		c := Default()
		change(c)
		if got := c.ContactGroups(); strings.Join(got.Names, " ") != want || got.Claim != c.Auth.GroupsClaim {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}
