package rules

import "github.com/hubgate/hubgate/proxy/pattern"

// reservedPath is a pattern that no rule may match: HubSpot or its visitors need the paths without a login, or they are
// the gateway's own.
type reservedPath struct {
	pattern   pattern.Pattern
	why, cure string
}

func reservedPaths(prefix string) []reservedPath {
	var all []reservedPath
	if prefix != "" {
		all = append(all, reservedPath{
			pattern: pattern.Below(prefix),
			why:     " is among the gateway's own endpoints, which rules do not reach",
			cure:    "remove it, or choose another auth.prefix",
		})
	}
	for _, must := range mustStayPublic {
		p, _ := pattern.Parse(must.pattern)
		all = append(all, reservedPath{
			pattern: p, why: " must stay public: " + must.why,
			cure: "remove it; a wider rule such as /hs/** does not reach these paths",
		})
	}
	return all
}

// mustStayPublic are patterns that no rule may match alone. Asking for a login there would break HubSpot's check of the
// connection, the links in its e-mails, or unsubscribing from them.
var mustStayPublic = []struct{ pattern, why string }{
	{validationFile, "HubSpot fetches it to check the connection"},
	{"/hs/manage-preferences/**", "people unsubscribe from e-mails there"},
	{"/hs/preferences-center/**", "people unsubscribe from e-mails there"},
	{"/e3t/**", "links in marketing e-mails lead through it"},
	{"/cdn-cgi/challenge-platform/**", "HubSpot's edge checks browsers through it"},
}
