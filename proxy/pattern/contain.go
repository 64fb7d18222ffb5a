package pattern

import "strings"

// Contains reports whether p matches every path that inner matches.
func (p Pattern) Contains(inner Pattern) bool {
	return !firstDiffers(p.segments, inner.segments) && contains(p.segments, inner.segments)
}

func contains(outer, inner []segment) bool {
	dead := newGrid(len(outer), len(inner))
	var from func(i, j int) bool
	from = func(i, j int) (ok bool) {
		if *dead.at(i, j) {
			return false
		}
		o, n := outer[i:], inner[j:]
		switch {
		case len(o) > 0 && o[0].kind == doubleStar:
			ok = from(i+1, j) || (len(n) > 0 && from(i, j+1))
		case len(n) == 0 || len(o) == 0:
			ok = len(n) == len(o)
		case n[0].kind != doubleStar: // ** matches more than any fixed number of segments
			ok = coversSegment(o[0], n[0]) && from(i+1, j+1)
		}
		*dead.at(i, j) = !ok
		return ok
	}
	return from(0, 0)
}

// firstDiffers reports whether the first segments are different literals. It is a cheap test before a search.
func firstDiffers(a, b []segment) bool {
	return len(a) > 0 && len(b) > 0 && a[0].kind == literal && b[0].kind == literal && a[0].text != b[0].text
}

func coversSegment(outer, inner segment) bool {
	switch {
	case outer.kind == glob && outer.text == "*":
		return true
	case outer.kind == glob:
		// A private-use character, which outer does not have, represents whatever inner's * matches.
		return globMatch(outer.text, strings.ReplaceAll(inner.text, "*", "\ue000"))
	}
	return inner.kind == literal && outer.text == inner.text
}
