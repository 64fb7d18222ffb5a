package rules

import (
	"sort"
	"strings"
)

// intersectIndex finds the patterns that may have a path in common with one, without comparing all with all. Thousands
// of rules are checked while an operator waits.
type intersectIndex struct{ root intersectNode }

type intersectNode struct {
	literals map[string]*intersectNode
	sorted   []string                   // the keys of literals
	globs    map[string][]intersectEdge // by what precedes the first *
	prefixes []string                   // the keys of globs, sorted
	any      *intersectNode
	here     []int // indexes of the patterns that end here
}

type intersectEdge struct {
	segment segment
	next    *intersectNode
}

func newIntersectIndex(all []patternAt) *intersectIndex {
	ix := &intersectIndex{}
	for i, at := range all {
		n := &ix.root
		for _, s := range at.pattern.segments {
			n = n.child(s)
		}
		n.here = append(n.here, i)
	}
	ix.root.sort()
	return ix
}

func (n *intersectNode) child(s segment) *intersectNode {
	switch s.kind {
	case literal:
		if n.literals == nil {
			n.literals = map[string]*intersectNode{}
		}
		if n.literals[s.text] == nil {
			n.literals[s.text] = &intersectNode{}
		}
		return n.literals[s.text]
	case glob:
		prefix, _, _ := strings.Cut(s.text, "*")
		for _, e := range n.globs[prefix] {
			if e.segment.text == s.text {
				return e.next
			}
		}
		if n.globs == nil {
			n.globs = map[string][]intersectEdge{}
		}
		next := &intersectNode{}
		n.globs[prefix] = append(n.globs[prefix], intersectEdge{s, next})
		return next
	}
	if n.any == nil {
		n.any = &intersectNode{}
	}
	return n.any
}

func (n *intersectNode) sort() {
	n.sorted, n.prefixes = sortedKeys(n.literals), sortedKeys(n.globs)
	n.each(func(next *intersectNode) { next.sort() })
}

func (n *intersectNode) each(visit func(*intersectNode)) {
	for _, next := range n.literals {
		visit(next)
	}
	for _, edges := range n.globs {
		for _, e := range edges {
			visit(e.next)
		}
	}
	if n.any != nil {
		visit(n.any)
	}
}

// intersecting returns the patterns that intersect p, including p itself, in file order.
func (ix *intersectIndex) intersecting(p pattern) []int {
	w := intersectWalk{seen: map[intersectState]bool{}}
	w.walk(&ix.root, p.segments)
	sort.Ints(w.found)
	return w.found
}

type intersectState struct {
	node *intersectNode
	rest int
}

type intersectWalk struct {
	seen  map[intersectState]bool
	found []int
}

func (w *intersectWalk) walk(n *intersectNode, q []segment) {
	state := intersectState{n, len(q)}
	if w.seen[state] {
		return
	}
	w.seen[state] = true
	if n.any != nil {
		for k := range len(q) + 1 {
			w.walk(n.any, q[k:])
		}
	}
	if len(q) == 0 {
		w.found = append(w.found, n.here...)
		return
	}
	if q[0].kind == doubleStar {
		w.walk(n, q[1:])
		n.each(func(next *intersectNode) { w.walk(next, q) })
		return
	}
	n.step(q[0], func(next *intersectNode) { w.walk(next, q[1:]) })
}

// step visits the children whose segment intersects s. Two segments intersect only if what precedes the first * of one
// is a prefix of the other.
func (n *intersectNode) step(s segment, visit func(*intersectNode)) {
	if s.kind == literal {
		if next := n.literals[s.text]; next != nil {
			visit(next)
		}
	}
	prefix, _, _ := strings.Cut(s.text, "*")
	if s.kind == glob {
		for _, text := range withPrefix(n.sorted, prefix) {
			if globMatch(s.text, text) {
				visit(n.literals[text])
			}
		}
		for _, longer := range withPrefix(n.prefixes, prefix) {
			n.stepGlobs(longer, s, visit)
		}
		if prefix == "" {
			return
		}
		prefix = prefix[:len(prefix)-1] // the same prefix was among them
	}
	for i := 0; i <= len(prefix) && len(n.globs) > 0; i++ {
		n.stepGlobs(prefix[:i], s, visit)
	}
}

func (n *intersectNode) stepGlobs(prefix string, s segment, visit func(*intersectNode)) {
	for _, e := range n.globs[prefix] {
		if suffixesDiffer(e.segment.text, s.text) {
			continue
		}
		if _, ok := commonSegment(e.segment, s); ok {
			visit(e.next)
		}
	}
}

// suffixesDiffer reports whether two segments differ after the last * of either. It is a cheap test before
// commonSegment.
func suffixesDiffer(a, b string) bool {
	for i := 1; i <= min(len(a), len(b)) && a[len(a)-i] != '*' && b[len(b)-i] != '*'; i++ {
		if a[len(a)-i] != b[len(b)-i] {
			return true
		}
	}
	return false
}

// withPrefix returns the part of a sorted list whose texts begin with prefix.
func withPrefix(sorted []string, prefix string) []string {
	from := sort.SearchStrings(sorted, prefix)
	to := from + sort.Search(len(sorted)-from, func(i int) bool { return !strings.HasPrefix(sorted[from+i], prefix) })
	return sorted[from:to]
}
