package proxy

// builtinRules are HubSpot's own paths. They take part in the order like any other rule; an operator's rule with the same or a more
// specific pattern replaces one.
func builtinRules(doors HubSpotConfig) []*rule {
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
		builtin("hubspot:diagnostics", accessOf(doors.Diagnostics), "/_hcms/diagnostics/**", "/_hcms/_worker/**"),
		builtin("hubspot:search", accessOf(doors.Search), "/_hcms/search/**"),
	}
	preview := builtin("hubspot:previews", accessOf(doors.Previews), "/_hcms/preview/**")
	preview.requirements = requirementsOf(RuleConfig{Groups: doors.PreviewGroups})
	if doors.SearchPage != "" {
		rules = append(rules, builtin("hubspot:search", accessOf(doors.Search), doors.SearchPage))
	}
	return append(rules, preview)
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

// doorRule returns the rule of a query parameter: it has no path.
func doorRule(name, word string, groups []string) *rule {
	r := builtin(name, accessOf(word))
	r.requirements = requirementsOf(RuleConfig{Groups: groups})
	return r
}

// validationFile is what HubSpot fetches to see that the proxy is connected: it is public whatever the rules say.
const validationFile = "/hubfs/hs-reverse-proxy-validation-test"

// mustStayPublic are patterns no rule may be or lie inside: gating them breaks the connection to HubSpot, the links of its e-mails
// or the visitor's right to unsubscribe.
var mustStayPublic = []struct{ pattern, why string }{
	{validationFile, "HubSpot fetches it to check the connection"},
	{"/hs/manage-preferences/**", "people unsubscribe from e-mails there"},
	{"/hs/preferences-center/**", "people unsubscribe from e-mails there"},
	{"/e3t/**", "the links of marketing e-mails lead through it"},
	{"/cdn-cgi/challenge-platform/**", "HubSpot's edge checks browsers through it"},
}
