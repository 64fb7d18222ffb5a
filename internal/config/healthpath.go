package config

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// HealthPathPattern matches a path that has one spelling: no escapes, no upper case, no empty and no dot segments.
const HealthPathPattern = `^(/[a-z0-9_~-]([a-z0-9._~-]*[a-z0-9_~-])?)+$`

var healthPathSyntax = regexp.MustCompile(HealthPathPattern)

// HealthPathKey is the key of the health path.
const HealthPathKey = "server.health_path"

const (
	maxHealthPath = 64
	otherPathCure = "write a path that the site does not use, such as %s, or none"
)

// validateHealthPath checks the spelling. The path is compared with requests byte by byte.
func (c ServerConfig) validateHealthPath() []setting.Problem {
	path := c.HealthPath
	switch {
	case path == setting.None || isHealthPath(path):
		return nil
	case len(path) > maxHealthPath:
		return setting.Mistake(HealthPathKey, fmt.Sprintf("longer than %d characters", maxHealthPath),
			"write a path such as /healthz, or none")
	}
	cure := "write a path of lower-case letters and digits, such as /healthz, or none"
	if likely := likelyHealthPath(path); isHealthPath(likely) {
		cure = "write " + likely
	}
	return setting.Mistake(HealthPathKey, setting.Quote(path)+" is not a valid path", cure)
}

func isHealthPath(path string) bool {
	return len(path) <= maxHealthPath && healthPathSyntax.MatchString(path)
}

// likelyHealthPath returns what is meant by another spelling or by a URL.
func likelyHealthPath(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if _, rest, found := strings.Cut(text, "://"); found {
		_, text, _ = strings.Cut(rest, "/")
	}
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		text = text[:i]
	}
	segments := strings.FieldsFunc(text, func(r rune) bool { return r == '/' })
	return "/" + strings.Join(segments, "/")
}

// checkHealthPath rejects a health path that would hide a page: one of the gateway, of HubSpot, or that a rule names.
// The health path never opens anything, because it serves nothing but its own text.
func (c *Config) checkHealthPath(ruleSet *rules.Set) []setting.Problem {
	path := c.Server.HealthPath
	if !isHealthPath(path) {
		return nil // off, or reported
	}
	why := ""
	folder, ofHubSpot := auth.HubSpotFolder(path)
	rule, named := ruleSet.Naming(path)
	switch {
	case c.healthPathHidesLogin():
		why = "is among the gateway's own endpoints, below auth.prefix"
	case ofHubSpot:
		why = "would hide what HubSpot serves at " + folder
	case named && rule.Line == 0:
		why = "would hide what HubSpot serves at " + rule.Path
	case named:
		why = fmt.Sprintf("would hide a page that the rule %s (line %d) matches", setting.Quote(rule.Path), rule.Line)
	case path == withoutQuery(c.Auth.AfterLogout):
		why = "would hide the page of auth.after_logout"
	case path == withoutQuery(c.Pages.Logo):
		why = "would hide the image of pages.logo"
	default:
		return nil
	}
	suggestion := "/healthz"
	if path == suggestion {
		suggestion = "/hubgate-health"
	}
	return setting.Mistake(HealthPathKey, setting.Quote(path)+" "+why, fmt.Sprintf(otherPathCure, suggestion))
}

// healthPathHidesLogin reports whether the health path is the auth prefix or below it.
func (c *Config) healthPathHidesLogin() bool {
	return c.Auth.Prefix != "" && strings.HasPrefix(c.Server.HealthPath+"/", c.Auth.Prefix+"/")
}

func withoutQuery(address string) string {
	path, _, _ := strings.Cut(address, "?")
	return path
}
