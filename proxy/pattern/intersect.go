package pattern

import "strings"

// Intersects reports whether some path matches both patterns.
func (p Pattern) Intersects(q Pattern) bool {
	_, ok := commonPath(p.segments, q.segments)
	return ok
}

// CommonExample returns a path that both patterns match, "/" if there is none.
func (p Pattern) CommonExample(q Pattern) string {
	parts, _ := commonPath(p.segments, q.segments)
	return "/" + strings.Join(parts, "/")
}

// grid records which suffixes of two sequences have nothing in common, so that stars are not tried in all combinations.
type grid struct {
	width int
	dead  []bool // nothing in common from here
}

func newGrid(a, b int) grid { return grid{b + 1, make([]bool, (a+1)*(b+1))} }

func (g grid) at(i, j int) *bool { return &g.dead[i*g.width+j] }

// commonPath returns the segments of a path that both match.
func commonPath(a, b []segment) (path []string, ok bool) {
	dead := newGrid(len(a), len(b))
	var from func(i, j int) ([]string, bool)
	from = func(i, j int) ([]string, bool) {
		if *dead.at(i, j) {
			return nil, false
		}
		if path, ok := commonStep(a[i:], b[j:], func(da, db int) ([]string, bool) { return from(i+da, j+db) }); ok {
			return path, true
		}
		*dead.at(i, j) = true
		return nil, false
	}
	return from(0, 0)
}

// commonStep takes one segment. rest returns a common path after that many segments of each.
func commonStep(a, b []segment, rest func(da, db int) ([]string, bool)) ([]string, bool) {
	star := func(s []segment) bool { return len(s) > 0 && s[0].kind == doubleStar }
	switch {
	case len(a) == 0 && len(b) == 0:
		return nil, true
	case star(a) || star(b):
		// ** matches nothing, or the next segment of the other.
		da, db := 1, 0
		other := b
		if !star(a) {
			da, db, other = 0, 1, a
		}
		if path, ok := rest(da, db); ok {
			return path, true
		}
		if len(other) == 0 {
			return nil, false
		}
		path, ok := rest(db, da)
		if !ok || star(other) {
			return path, ok
		}
		return append([]string{sample(other[0])}, path...), true
	case len(a) == 0 || len(b) == 0:
		return nil, false
	}
	text, ok := commonSegment(a[0], b[0])
	if !ok {
		return nil, false
	}
	path, ok := rest(1, 1)
	return append([]string{text}, path...), ok
}

func commonSegment(a, b segment) (string, bool) {
	switch {
	case a.kind == literal && b.kind == literal:
		return a.text, a.text == b.text
	case a.kind == literal:
		return a.text, globMatch(b.text, a.text)
	case b.kind == literal:
		return b.text, globMatch(a.text, b.text)
	}
	return commonGlob(a.text, b.text)
}

// commonGlob returns a text that two globs match. A * matches nothing, or the next character of the other.
func commonGlob(a, b string) (string, bool) {
	dead := newGrid(len(a), len(b))
	var from func(i, j int) (string, bool)
	from = func(i, j int) (text string, ok bool) {
		switch {
		case *dead.at(i, j):
			return "", false
		case i == len(a) && j == len(b):
			return "", true
		case i < len(a) && a[i] == '*':
			if text, ok = from(i+1, j); !ok && j < len(b) {
				text, ok = from(i, j+1)
				text = strings.TrimPrefix(b[j:j+1], "*") + text
			}
		case j < len(b) && b[j] == '*':
			if text, ok = from(i, j+1); !ok && i < len(a) {
				text, ok = from(i+1, j)
				text = a[i:i+1] + text
			}
		case i < len(a) && j < len(b) && a[i] == b[j]:
			text, ok = from(i+1, j+1)
			text = a[i:i+1] + text
		}
		*dead.at(i, j) = !ok
		return text, ok
	}
	return from(0, 0)
}
