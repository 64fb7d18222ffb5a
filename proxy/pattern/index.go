package pattern

import (
	"slices"
	"sort"
	"strings"
)

// Index finds the patterns that have a path in common with one, without comparing all with all. Thousands of rules are
// checked while an operator waits.
type Index struct{ root indexNode }

type indexNode struct {
	literals map[string]*indexNode
	sorted   []string               // the keys of literals
	globs    map[string][]indexEdge // by what precedes the first *
	prefixes []string               // the keys of globs, sorted
	any      *indexNode
	here     []int // indexes of the patterns that end here
}

type indexEdge struct {
	segment segment
	next    *indexNode
}

// NewIndex returns the index of a list of patterns.
func NewIndex(all []Pattern) *Index {
	ix := &Index{}
	for i, p := range all {
		n := &ix.root
		for _, s := range p.segments {
			n = n.child(s)
		}
		n.here = append(n.here, i)
	}
	ix.root.sort()
	return ix
}

func (n *indexNode) child(s segment) *indexNode {
	switch s.kind {
	case literal:
		if n.literals == nil {
			n.literals = map[string]*indexNode{}
		}
		if n.literals[s.text] == nil {
			n.literals[s.text] = &indexNode{}
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
			n.globs = map[string][]indexEdge{}
		}
		next := &indexNode{}
		n.globs[prefix] = append(n.globs[prefix], indexEdge{s, next})
		return next
	}
	if n.any == nil {
		n.any = &indexNode{}
	}
	return n.any
}

func (n *indexNode) sort() {
	n.sorted, n.prefixes = sortedKeys(n.literals), sortedKeys(n.globs)
	n.each(func(next *indexNode) { next.sort() })
}

// sortedKeys is slices.Sorted of maps.Keys, which would allocate several times for each of thousands of nodes.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (n *indexNode) each(visit func(*indexNode)) {
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

// Intersecting returns the places in the list of the patterns that intersect p, which may be one of them, in order.
func (ix *Index) Intersecting(p Pattern) []int {
	w := indexWalk{seen: map[indexState]bool{}}
	w.walk(&ix.root, p.segments)
	sort.Ints(w.found)
	return w.found
}

type indexState struct {
	node *indexNode
	rest int
}

type indexWalk struct {
	seen  map[indexState]bool
	found []int
}

func (w *indexWalk) walk(n *indexNode, q []segment) {
	state := indexState{n, len(q)}
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
		n.each(func(next *indexNode) { w.walk(next, q) })
		return
	}
	n.step(q[0], func(next *indexNode) { w.walk(next, q[1:]) })
}

// step visits the children whose segment intersects s. Two segments intersect only if what precedes the first * of one
// is a prefix of the other.
func (n *indexNode) step(s segment, visit func(*indexNode)) {
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

func (n *indexNode) stepGlobs(prefix string, s segment, visit func(*indexNode)) {
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
