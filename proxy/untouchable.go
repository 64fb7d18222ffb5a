package proxy

import (
	"strconv"

	"github.com/hubgate/hubgate/internal/setting"
)

// untouchable is what HubSpot or its visitors need in the open, and the gateway's own endpoints.
type untouchable struct {
	pattern   pattern
	why, cure string
}

func untouchables(prefix string) []untouchable {
	var all []untouchable
	if prefix != "" {
		all = append(all, untouchable{pattern{segments: append(literals(prefix), segment{kind: doubleStar})},
			" lies inside the gateway's own endpoints, which rules do not reach", "remove it, or choose another auth.prefix"})
	}
	for _, must := range mustStayPublic {
		p, _ := parsePattern(must.pattern)
		all = append(all, untouchable{p, " must stay public: " + must.why, "remove it; a wider rule such as /hs/** does not reach these paths"})
	}
	return all
}

func (u untouchable) touchedBy(p pattern) bool {
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

// moreOpen reports whether a admits anybody whom b does not.
func moreOpen(a, b *rule) bool {
	switch {
	case b.access == refuse:
		return a.access != refuse
	case a.access == refuse:
		return false
	case a.access == public && b.access != public:
		return true
	}
	return a.requirements.weakerThan(b.requirements)
}

func (r *rule) place() string {
	if r.line > 0 {
		return "line " + strconv.Itoa(r.line)
	}
	return "rule " + setting.Quote(r.name)
}
