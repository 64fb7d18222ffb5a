package rules

// builtinRules are HubSpot's own paths. They take part in the order like any other rule; an operator's rule with the same or a more
// specific pattern replaces one.
func builtinRules(params HubSpotConfig) []*rule {
	ruleSet := []*rule{
		builtin("hubspot:files", public, "/hubfs/**", "/hs-fs/**"),
		builtin("hubspot:validation", public, validationFile),
		builtin("hubspot:forms", public, "/_hcms/forms/**"),
		builtin("hubspot:static", public, "/hs/hsstatic/**"),
		builtin("hubspot:cta", public, "/cs/c/**"),
		builtin("hubspot:email", public, "/e3t/**"),
		builtin("hubspot:preferences", public, "/hs/manage-preferences/**", "/hs/preferences-center/**"),
		builtin("hubspot:challenge", public, "/cdn-cgi/challenge-platform/**"),
		builtin("hubspot:well-known", public, "/robots.txt", "/favicon.ico", "/.well-known/**"),
		builtin("hubspot:diagnostics", accessOf(params.Diagnostics), "/_hcms/diagnostics/**", "/_hcms/_worker/**"),
		builtin("hubspot:search", accessOf(params.Search), "/_hcms/search/**"),
	}
	preview := builtin("hubspot:previews", accessOf(params.Previews), "/_hcms/preview/**")
	preview.requirements = requirementsOf(RuleConfig{Groups: params.PreviewGroups})
	if params.SearchPage != "" {
		ruleSet = append(ruleSet, builtin("hubspot:search", accessOf(params.Search), params.SearchPage))
	}
	return append(ruleSet, preview)
}

func builtin(name string, a access, patterns ...string) *rule {
	r := &rule{index: -1, name: name, access: a, requirements: requirementsOf(RuleConfig{})}
	for _, text := range patterns {
		if p, bad := parsePattern(text); bad == nil { // a bad search_page is reported by Config.Validate
			r.patterns = append(r.patterns, p)
		}
	}
	return r
}

// paramRule returns the rule of a query parameter: it has no path.
func paramRule(name, word string, groups []string) *rule {
	r := builtin(name, accessOf(word))
	r.requirements = requirementsOf(RuleConfig{Groups: groups})
	return r
}

// validationFile is what HubSpot fetches to see that the proxy is connected: it is public whatever the rules say.
const validationFile = "/hubfs/hs-reverse-proxy-validation-test"
