package rules

import "slices"

// compare orders patterns, the more specific first. Segment by segment from the left, a literal beats a glob, a glob
// with more literal characters beats one with fewer, and both beat **. A pattern that ends beats one that continues.
func compare(a, b pattern) int {
	return slices.CompareFunc(a.segments, b.segments, compareSegments)
}

func compareSegments(a, b segment) int {
	if a.kind != b.kind {
		return int(a.kind) - int(b.kind)
	}
	if a.kind == glob {
		return b.literals - a.literals
	}
	return 0
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
