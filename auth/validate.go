package auth

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// Validate returns the problems of the section, without looking at other sections.
func (c Config) Validate() []setting.Problem {
	problems := c.OpenID().Validate()
	problems = append(problems, c.validatePrefix()...)
	problems = append(problems, c.validateAdminGroups()...)
	problems = append(problems, c.validateForwardAuth()...)
	problems = append(problems, c.validateLogout()...)
	return append(problems, c.validateLoginRate()...)
}

var prefixPattern = regexp.MustCompile(`^(/[a-z0-9][a-z0-9_-]*)+$`)

// hubSpotPaths are first path segments that HubSpot serves on every site.
var hubSpotPaths = []string{"hs", "hubfs", "hs-fs", "hub", "cs", "e3t", "cdn-cgi", "_hcms", "sitemap.xml"}

// HubSpotFolder returns the first segment of a path, and whether HubSpot serves it on every site.
func HubSpotFolder(path string) (folder string, ok bool) {
	folder, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return "/" + folder, slices.Contains(hubSpotPaths, folder)
}

func (c Config) validatePrefix() []setting.Problem {
	folder, ofHubSpot := HubSpotFolder(c.Prefix)
	switch {
	case !prefixPattern.MatchString(c.Prefix) || len(c.Prefix) > 64:
		return setting.Mistake("auth.prefix", fmt.Sprintf("%q is not a valid prefix", c.Prefix),
			"write a path of lower-case letters and digits without a trailing slash, such as /oauth2")
	case ofHubSpot:
		return setting.Mistake("auth.prefix", "would hide HubSpot's own paths below "+folder,
			"write a path that the site does not use, such as /oauth2")
	}
	return nil
}

func (c Config) validateAdminGroups() (problems []setting.Problem) {
	for i, group := range c.AdminGroups {
		if strings.TrimSpace(group) != group || group == "" {
			problems = append(problems, setting.Mistake(fmt.Sprintf("auth.admin_groups[%d]", i),
				fmt.Sprintf("%q is not a group name", group), "write a name without spaces around it")...)
		}
	}
	return problems
}

// forwardAuths are the values of forward_auth.
var forwardAuths = []string{"query", "headers"}

func (c Config) validateForwardAuth() []setting.Problem {
	if slices.Contains(forwardAuths, c.ForwardAuth) {
		return nil
	}
	cure := "write query (nginx) or headers (Traefik, Caddy)"
	if near := setting.Nearest(c.ForwardAuth, forwardAuths); near != "" {
		cure = "did you mean " + near + "? " + cure
	}
	return setting.Mistake("auth.forward_auth", fmt.Sprintf("%q is not a valid value", c.ForwardAuth), cure)
}

func (c Config) validateLogout() (problems []setting.Problem) {
	prefix := c.Prefix
	if !prefixPattern.MatchString(prefix) {
		prefix = DefaultConfig().Prefix // the prefix is reported as another problem
	}
	if c.AfterLogout != "" && cleanReturn(c.AfterLogout, prefix) != c.AfterLogout {
		text := fmt.Sprintf("%q is not a path on this site", c.AfterLogout)
		problems = append(problems, setting.Mistake("auth.after_logout", text, "write a path such as /goodbye")...)
	}
	if c.BackchannelLogout && c.OpenID().Cognito() {
		text := "has no effect: Cognito does not support back-channel logout"
		problems = append(problems, setting.Mistake("auth.backchannel_logout", text, "remove it")...)
	}
	return problems
}

func (c Config) validateLoginRate() []setting.Problem {
	switch r := c.LoginRate; {
	case r.Requests <= 0 && r != (setting.Rate{}):
		return setting.Mistake("auth.login_rate.requests", "must be greater than 0, or nobody can log in",
			"write a number such as 30, or login_rate: none")
	case r.Requests > 0 && r.Per <= 0:
		return setting.Mistake("auth.login_rate.per", "required", "write a duration such as 1m")
	}
	return nil
}
