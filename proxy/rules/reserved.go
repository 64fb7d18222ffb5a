package rules

// reservedPath is what HubSpot or its visitors need in the open, and the gateway's own endpoints.
type reservedPath struct {
	pattern   pattern
	why, cure string
}

func reservedPaths(prefix string) []reservedPath {
	var all []reservedPath
	if prefix != "" {
		all = append(all, reservedPath{pattern{segments: append(literals(prefix), segment{kind: doubleStar})},
			" lies inside the gateway's own endpoints, which rules do not reach", "remove it, or choose another auth.prefix"})
	}
	for _, must := range mustStayPublic {
		p, _ := parsePattern(must.pattern)
		all = append(all, reservedPath{p, " must stay public: " + must.why, "remove it; a wider rule such as /hs/** does not reach these paths"})
	}
	return all
}

func (u reservedPath) covers(p pattern) bool {
	if len(p.segments) == 0 || p.segments[0] != u.pattern.segments[0] { // all of them begin with a literal
		return false
	}
	return contains(u.pattern, p)
}

func literals(path string) []segment {
	var segments []segment
	for _, part := range splitPath(path) {
		segments = append(segments, segment{kind: literal, text: part})
	}
	return segments
}

// mustStayPublic are patterns no rule may be or lie inside: gating them breaks the connection to HubSpot, the links of its e-mails
// or the visitor's right to unsubscribe.
var mustStayPublic = []struct{ pattern, why string }{
	{validationFile, "HubSpot fetches it to check the connection"},
	{"/hs/manage-preferences/**", "people unsubscribe from e-mails there"},
	{"/hs/preferences-center/**", "people unsubscribe from e-mails there"},
	{"/e3t/**", "the links of marketing e-mails lead through it"},
	{"/cdn-cgi/challenge-platform/**", "HubSpot's edge checks browsers through it"},
}
