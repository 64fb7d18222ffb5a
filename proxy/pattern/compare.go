package pattern

import "slices"

// Compare orders patterns, the more specific first. Segment by segment from the left, a literal beats a glob, a glob
// with more literal characters beats one with fewer, and both beat **. A pattern that ends beats one that continues.
func (p Pattern) Compare(q Pattern) int {
	return slices.CompareFunc(p.segments, q.segments, compareSegments)
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
