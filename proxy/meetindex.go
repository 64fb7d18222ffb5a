package proxy

import (
	"sort"
	"strings"
)

// meetIndex finds, for a pattern, the patterns that may have a path in common with it, without comparing all with all: thousands of
// rules are checked while a person waits.
type meetIndex struct{ root meetNode }

type meetNode struct {
	literals map[string]*meetNode
	sorted   []string              // the keys of literals
	globs    map[string][]meetEdge // by what stands before the first *
	prefixes []string              // the keys of globs, sorted
	any      *meetNode
	here     []int // patterns that end here
}

type meetEdge struct {
	segment segment
	next    *meetNode
}

func newMeetIndex(all []patternAt) *meetIndex {
	ix := &meetIndex{}
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

func (n *meetNode) child(s segment) *meetNode {
	switch s.kind {
	case literal:
		if n.literals == nil {
			n.literals = map[string]*meetNode{}
		}
		if n.literals[s.text] == nil {
			n.literals[s.text] = &meetNode{}
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
			n.globs = map[string][]meetEdge{}
		}
		next := &meetNode{}
		n.globs[prefix] = append(n.globs[prefix], meetEdge{s, next})
		return next
	}
	if n.any == nil {
		n.any = &meetNode{}
	}
	return n.any
}

func (n *meetNode) sort() {
	n.sorted, n.prefixes = sortedKeys(n.literals), sortedKeys(n.globs)
	n.each(func(next *meetNode) { next.sort() })
}

func (n *meetNode) each(visit func(*meetNode)) {
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

// meeting returns the patterns that meet p, itself included, in file order.
func (ix *meetIndex) meeting(p pattern) []int {
	w := meetWalk{seen: map[meetState]bool{}}
	w.walk(&ix.root, p.segments)
	sort.Ints(w.found)
	return w.found
}

type meetState struct {
	node *meetNode
	rest int
}

type meetWalk struct {
	seen  map[meetState]bool
	found []int
}

func (w *meetWalk) walk(n *meetNode, q []segment) {
	state := meetState{n, len(q)}
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
		n.each(func(next *meetNode) { w.walk(next, q) })
		return
	}
	n.step(q[0], func(next *meetNode) { w.walk(next, q[1:]) })
}

// step visits the children whose segment meets s. Two segments meet only if what stands before the first * of one begins the other.
func (n *meetNode) step(s segment, visit func(*meetNode)) {
	if s.kind == literal {
		if next := n.literals[s.text]; next != nil {
			visit(next)
		}
	}
	prefix, _, _ := strings.Cut(s.text, "*")
	if s.kind == glob {
		for _, text := range beginning(n.sorted, prefix) {
			if globMatch(s.text, text) {
				visit(n.literals[text])
			}
		}
		for _, longer := range beginning(n.prefixes, prefix) {
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

func (n *meetNode) stepGlobs(prefix string, s segment, visit func(*meetNode)) {
	for _, e := range n.globs[prefix] {
		if apart(e.segment.text, s.text) {
			continue
		}
		if _, ok := commonSegment(e.segment, s); ok {
			visit(e.next)
		}
	}
}

// apart tells cheaply that two segments differ after the last * of either.
func apart(a, b string) bool {
	for i := 1; i <= min(len(a), len(b)) && a[len(a)-i] != '*' && b[len(b)-i] != '*'; i++ {
		if a[len(a)-i] != b[len(b)-i] {
			return true
		}
	}
	return false
}

// beginning is the part of a sorted list whose texts begin with prefix.
func beginning(sorted []string, prefix string) []string {
	from := sort.SearchStrings(sorted, prefix)
	to := from + sort.Search(len(sorted)-from, func(i int) bool { return !strings.HasPrefix(sorted[from+i], prefix) })
	return sorted[from:to]
}
