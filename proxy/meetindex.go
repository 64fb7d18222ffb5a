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
	sorted   []string // the keys of literals
	globs    []meetEdge
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
		for _, e := range n.globs {
			if e.segment.text == s.text {
				return e.next
			}
		}
		n.globs = append(n.globs, meetEdge{s, &meetNode{}})
		return n.globs[len(n.globs)-1].next
	}
	if n.any == nil {
		n.any = &meetNode{}
	}
	return n.any
}

func (n *meetNode) sort() {
	n.sorted = sortedKeys(n.literals)
	n.each(func(next *meetNode) { next.sort() })
}

func (n *meetNode) each(visit func(*meetNode)) {
	for _, next := range n.literals {
		visit(next)
	}
	for _, e := range n.globs {
		visit(e.next)
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

// step visits the children whose segment meets s.
func (n *meetNode) step(s segment, visit func(*meetNode)) {
	if s.kind == literal {
		if next := n.literals[s.text]; next != nil {
			visit(next)
		}
	} else {
		prefix, _, _ := strings.Cut(s.text, "*")
		for i := sort.SearchStrings(n.sorted, prefix); i < len(n.sorted) && strings.HasPrefix(n.sorted[i], prefix); i++ {
			if globMatch(s.text, n.sorted[i]) {
				visit(n.literals[n.sorted[i]])
			}
		}
	}
	for _, e := range n.globs {
		if apart(e.segment.text, s.text) {
			continue
		}
		if _, ok := commonSegment(e.segment, s); ok {
			visit(e.next)
		}
	}
}

// apart tells cheaply that two segments differ before the first * of either.
func apart(a, b string) bool {
	for i := 0; i < len(a) && i < len(b) && a[i] != '*' && b[i] != '*'; i++ {
		if a[i] != b[i] {
			return true
		}
	}
	return false
}
