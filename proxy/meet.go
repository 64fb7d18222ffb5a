package proxy

import "strings"

// meets tells whether some path matches both patterns.
func meets(a, b pattern) bool { return commonPath(a.segments, b.segments) != nil }

// commonPath finds a path that both match: its segments, nil when there is none. The empty path is an empty, non-nil list.
func commonPath(a, b []segment) []string {
	switch {
	case len(a) > 0 && a[0].kind == doubleStar:
		return throughStar(a, b)
	case len(b) > 0 && b[0].kind == doubleStar:
		return throughStar(b, a)
	case len(a) == 0 || len(b) == 0:
		if len(a) == 0 && len(b) == 0 {
			return []string{}
		}
		return nil
	}
	text, ok := commonSegment(a[0], b[0])
	if !ok {
		return nil
	}
	if rest := commonPath(a[1:], b[1:]); rest != nil {
		return append([]string{text}, rest...)
	}
	return nil
}

// throughStar: ** of a stands for nothing, or for the next segment of b.
func throughStar(a, b []segment) []string {
	if rest := commonPath(a[1:], b); rest != nil {
		return rest
	}
	if len(b) == 0 {
		return nil
	}
	if b[0].kind == doubleStar {
		return commonPath(a, b[1:])
	}
	if rest := commonPath(a, b[1:]); rest != nil {
		return append([]string{sample(b[0])}, rest...)
	}
	return nil
}

func sample(s segment) string { return strings.ReplaceAll(s.text, "*", "x") }

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

// commonGlob finds a text that two globs match: where one has *, it stands for the next character of the other.
func commonGlob(a, b string) (string, bool) {
	switch {
	case a == "" && b == "":
		return "", true
	case a != "" && a[0] == '*':
		if text, ok := commonGlob(a[1:], b); ok {
			return text, true
		}
		if b == "" {
			return "", false
		}
		text, ok := commonGlob(a, b[1:])
		if b[0] == '*' {
			return text, ok
		}
		return b[:1] + text, ok
	case b != "" && b[0] == '*':
		return commonGlob(b, a)
	case a == "" || b == "" || a[0] != b[0]:
		return "", false
	}
	text, ok := commonGlob(a[1:], b[1:])
	return a[:1] + text, ok
}

// contains tells whether every path that inner matches is matched by outer.
func contains(outer, inner pattern) bool { return covers(outer.segments, inner.segments) }

func covers(outer, inner []segment) bool {
	if len(outer) > 0 && outer[0].kind == doubleStar {
		if covers(outer[1:], inner) {
			return true
		}
		return len(inner) > 0 && covers(outer, inner[1:])
	}
	switch {
	case len(inner) == 0:
		return len(outer) == 0
	case len(outer) == 0 || inner[0].kind == doubleStar: // ** stands for more than any fixed number of segments
		return false
	}
	return coversSegment(outer[0], inner[0]) && covers(outer[1:], inner[1:])
}

func coversSegment(outer, inner segment) bool {
	switch {
	case outer.kind == glob && outer.text == "*":
		return true
	case outer.kind == glob:
		// inner's * may stand for anything, which a private-use character, unlike all letters of outer, stands for here.
		return globMatch(outer.text, strings.ReplaceAll(inner.text, "*", "\ue000"))
	}
	return inner.kind == literal && outer.text == inner.text
}
