package pattern

import (
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// LosesTo suspects that the pattern is meant to match what a built-in one for a part of its folder matches: the two
// intersect, and neither was written as an exception of the other. Patterns that begin with a wildcard are not meant
// for HubSpot's own scripts and forms. Those that begin with a part of a name are meant for a file of that name only.
func (p Pattern) LosesTo(builtin Pattern) (_ Suspicion, ok bool) {
	if len(p.segments) == 0 || p.startsWithWildcard() || !p.sharesFolder(builtin) ||
		(p.Simple() && p.Contains(builtin)) || !p.Intersects(builtin) {
		return Suspicion{}, false
	}
	cure := "add a rule for " + setting.Quote(p.within(builtin))
	if builtin.Contains(p) {
		cure = "write " + setting.Quote(builtin.text) // the pattern never decides
	}
	return Suspicion{
		Paths: []string{p.CommonExample(builtin)},
		Cure:  cure + ", or begin the pattern with more of the path",
	}, true
}

func (p Pattern) sharesFolder(builtin Pattern) bool {
	if len(builtin.segments) == 0 {
		return false
	}
	return p.segments[0] == builtin.segments[0] || (p.segments[0].kind == glob && len(builtin.segments) == 1)
}

// within returns the part of the pattern in the folder of a built-in one, as a pattern that wins over that.
func (p Pattern) within(builtin Pattern) string {
	folder := len(builtin.segments) - 1
	if folder < 1 || builtin.segments[folder].kind != doubleStar || len(p.segments) <= folder ||
		p.segments[folder].kind == doubleStar ||
		slices.ContainsFunc(p.segments[:folder], func(s segment) bool { return s.kind == doubleStar }) {
		return builtin.text
	}
	return strings.TrimSuffix(builtin.text, "/**") + p.written(folder)
}
