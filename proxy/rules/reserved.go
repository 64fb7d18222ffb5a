package rules

// reservedPath is a pattern that no rule may match: HubSpot or its visitors need the paths without a login, or they are
// the gateway's own.
type reservedPath struct {
	pattern   pattern
	why, cure string
}

func reservedPaths(prefix string) []reservedPath {
	var all []reservedPath
	if prefix != "" {
		all = append(all, reservedPath{
			pattern: pattern{segments: append(literals(prefix), segment{kind: doubleStar})},
			why:     " is among the gateway's own endpoints, which rules do not reach",
			cure:    "remove it, or choose another auth.prefix",
		})
	}
	for _, must := range mustStayPublic {
		p, _ := parsePattern(must.pattern)
		all = append(all, reservedPath{
			pattern: p, why: " must stay public: " + must.why,
			cure: "remove it; a wider rule such as /hs/** does not reach these paths",
		})
	}
	return all
}

// covers reports whether p matches nothing but reserved paths, all of which begin with a literal.
func (r reservedPath) covers(p pattern) bool {
	if len(p.segments) == 0 || p.segments[0] != r.pattern.segments[0] {
		return false
	}
	return contains(r.pattern, p)
}

func literals(path string) []segment {
	var segments []segment
	for _, part := range splitPath(path) {
		segments = append(segments, segment{kind: literal, text: part})
	}
	return segments
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
