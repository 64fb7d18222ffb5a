package pattern

import (
	"slices"
	"strings"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Spaced returns the pattern with a space for each "+", and whether it differs.
func (p Pattern) Spaced() (_ Pattern, differs bool) {
	return p.with(func(text string) string { return strings.ReplaceAll(text, "+", " ") })
}

// HasSpace reports whether the pattern has a space: then it is about that path, and not about one with "+" in place of
// the space.
func (p Pattern) HasSpace() bool {
	return slices.ContainsFunc(p.segments, func(s segment) bool { return strings.Contains(s.text, " ") })
}

// Narrowed returns the pattern for origins that do not fold letters to others, and whether it differs.
func (p Pattern) Narrowed() (_ Pattern, differs bool) {
	text, narrowed := urlpath.Narrow(p.text)
	if !narrowed {
		return p, false
	}
	texts := splitPath(text)
	i := -1
	return p.with(func(text string) string {
		if i++; text != "" && i < len(texts) {
			return texts[i]
		}
		return text
	})
}

// with returns a pattern with all segments changed, and whether it differs.
func (p Pattern) with(change func(string) string) (_ Pattern, differs bool) {
	other := Pattern{text: p.text, segments: slices.Clone(p.segments)}
	for i, s := range p.segments {
		other.segments[i].text = change(s.text)
		differs = differs || other.segments[i].text != s.text
	}
	return other, differs
}

// written returns the end of a pattern from a segment on, as it was written: the decoded form is not a pattern.
func (p Pattern) written(from int) string {
	if from == len(p.segments) {
		return ""
	}
	return "/" + strings.Join(strings.Split(strings.Trim(p.text, "/"), "/")[from:], "/")
}
