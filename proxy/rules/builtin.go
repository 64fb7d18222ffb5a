package rules

import "github.com/hubgate/hubgate/proxy/pattern"

// builtinRules returns the rules for HubSpot's own paths. They are ordered like all other rules; a configured rule with
// the same or a more specific pattern wins.
func builtinRules(cfg HubSpotConfig) []*rule {
	rules := []*rule{
		builtin("hubspot:files", public, "/hubfs/**", "/hs-fs/**"),
		builtin("hubspot:validation", public, validationFile),
		builtin("hubspot:forms", public, "/_hcms/forms/**"),
		builtin("hubspot:static", public, "/hs/hsstatic/**"),
		builtin("hubspot:cta", public, "/cs/c/**"),
		builtin("hubspot:email", public, "/e3t/**"),
		builtin("hubspot:preferences", public, "/hs/manage-preferences/**", "/hs/preferences-center/**"),
		builtin("hubspot:challenge", public, "/cdn-cgi/challenge-platform/**"),
		builtin("hubspot:well-known", public, "/robots.txt", "/favicon.ico", "/.well-known/**"),
		builtin("hubspot:diagnostics", accessOf(cfg.Diagnostics), "/_hcms/diagnostics/**", "/_hcms/_worker/**"),
		builtin("hubspot:search", accessOf(cfg.Search), "/_hcms/search/**"),
	}
	preview := builtin("hubspot:previews", accessOf(cfg.Previews), "/_hcms/preview/**")
	preview.requirements = requirementsOf(RuleConfig{Groups: cfg.PreviewGroups}, Env{})
	if cfg.SearchPage != "" {
		rules = append(rules, builtin("hubspot:search", accessOf(cfg.Search), cfg.SearchPage))
	}
	return append(rules, preview)
}

func builtin(name string, a access, patterns ...string) *rule {
	r := &rule{index: -1, name: name, access: a, requirements: requirementsOf(RuleConfig{}, Env{})}
	for _, text := range patterns {
		if p, bad := pattern.Parse(text); bad == nil { // Config.Validate reports an invalid search_page
			r.patterns = append(r.patterns, p)
		}
	}
	return r
}

// paramRule returns the rule of a preview parameter, which has no path.
func paramRule(name, word string, groups []string) *rule {
	r := builtin(name, accessOf(word))
	r.requirements = requirementsOf(RuleConfig{Groups: groups}, Env{})
	return r
}

// validationFile is what HubSpot fetches to check that the proxy is connected. It is public whatever the rules say.
const validationFile = "/hubfs/hs-reverse-proxy-validation-test"
