package rules

import (
	"slices"
	"strings"
)

// trie finds the entries whose pattern matches a path: one node a segment. The answer does not depend on the way through it, for
// every entry has a rank of its own and the smallest wins.
type trie struct {
	root  node
	stars int // how many inner ** it has: nodes below a ** from which a pattern goes on
}

type node struct {
	literals map[string]*node
	globs    map[string][]globEdge // by what stands before the first *
	prefixes []int                 // the lengths of those
	any      *node                 // below **
	star     int                   // of a node below an inner **: its number, from 1; 0 for every other node
	entries  []entry               // patterns that end here, the best rank first
	best     int32                 // the smallest rank in this subtree: what cannot win is not walked
}

type globEdge struct {
	text string
	next *node
}

// entry is one pattern of one rule.
type entry struct {
	rank int32
	rule *rule
}

const noRank = int32(1<<31 - 1)

func (t *trie) add(p pattern, e entry) {
	n := &t.root
	n.lower(e.rank)
	for i, s := range p.segments {
		if i > 0 && p.segments[i-1].kind == doubleStar && n.star == 0 {
			t.stars++
			n.star = t.stars
		}
		n = n.child(s)
		n.lower(e.rank)
	}
	i := 0
	for i < len(n.entries) && n.entries[i].rank <= e.rank {
		i++
	}
	n.entries = append(n.entries[:i], append([]entry{e}, n.entries[i:]...)...)
}

// lower counts rank+1, so that the zero value of a node is one without entries.
func (n *node) lower(rank int32) {
	if n.best == 0 || rank+1 < n.best {
		n.best = rank + 1
	}
}

func (n *node) child(s segment) *node {
	switch s.kind {
	case literal:
		if n.literals == nil {
			n.literals = map[string]*node{}
		}
		if n.literals[s.text] == nil {
			n.literals[s.text] = &node{}
		}
		return n.literals[s.text]
	case glob:
		return n.globChild(s.text)
	}
	if n.any == nil {
		n.any = &node{}
	}
	return n.any
}

func (n *node) globChild(text string) *node {
	prefix, _, _ := strings.Cut(text, "*")
	for _, g := range n.globs[prefix] {
		if g.text == text {
			return g.next
		}
	}
	if n.globs == nil {
		n.globs = map[string][]globEdge{}
	}
	next := &node{}
	n.globs[prefix] = append(n.globs[prefix], globEdge{text, next})
	if !slices.Contains(n.prefixes, len(prefix)) {
		n.prefixes = append(n.prefixes, len(prefix))
	}
	return next
}

// find returns the best entry for the host and path (a folded path), or one without a rule.
func (t *trie) find(host, path string) entry {
	f := finder{host: host, best: entry{rank: noRank}}
	f.walk(&t.root, path)
	return f.best
}

// each calls visit for every entry that matches, in no order.
func (t *trie) each(host, path string, visit func(entry)) {
	f := finder{host: host, best: entry{rank: noRank}, visit: visit}
	f.walk(&t.root, path)
}

type finder struct {
	host  string
	best  entry
	visit func(entry)
	few   [4]uint64 // the inner ** that were reached, a bit for each; those with greater numbers are in many
	many  []uint64
}

// walk matches rest, which is "" or "/" (the end) or begins with a slash, below n.
func (f *finder) walk(n *node, rest string) {
	if f.visit == nil && n.best > f.best.rank {
		return
	}
	if n.any != nil && !f.reached(n.any) {
		f.walkAny(n.any, rest)
	}
	if rest == "" || rest == "/" {
		f.take(n)
		return
	}
	head, tail := nextSegment(rest)
	if next := n.literals[head]; next != nil {
		f.walk(next, tail)
	}
	for _, length := range n.prefixes {
		if length > len(head) {
			continue
		}
		for _, g := range n.globs[head[:length]] {
			if globMatch(g.text, head) {
				f.walk(g.next, tail)
			}
		}
	}
}

// reached reports whether the walk was below this inner ** before: then with a longer rest, for an outer ** takes as
// little as it can first, and whatever can be found now was looked for already. It remembers every one: a set that
// forgets would let the time grow with a power of the path's length (CWE-407).
func (f *finder) reached(n *node) bool {
	if n.star == 0 {
		return false // nothing goes on from here: a visit is one step
	}
	word, bit := (n.star-1)/64, uint64(1)<<((n.star-1)%64)
	set := f.few[:]
	if word >= len(f.few) {
		word -= len(f.few)
		if word >= len(f.many) {
			f.many = append(f.many, make([]uint64, word+1-len(f.many))...)
		}
		set = f.many
	}
	before := set[word]&bit != 0
	set[word] |= bit
	return before
}

// walkAny lets ** stand for none, one, two ... segments. What ends in ** is taken at once.
func (f *finder) walkAny(n *node, rest string) {
	f.take(n)
	if n.literals == nil && n.globs == nil {
		return
	}
	for rest != "" && rest != "/" {
		f.walk(n, rest)
		_, rest = nextSegment(rest)
	}
}

func nextSegment(rest string) (head, tail string) {
	head = rest[1:]
	if i := strings.IndexByte(head, '/'); i >= 0 {
		return head[:i], head[i:]
	}
	return head, ""
}

func (f *finder) take(n *node) {
	for _, e := range n.entries {
		if !e.rule.forHost(f.host) {
			continue
		}
		if f.visit != nil {
			f.visit(e)
			continue
		}
		if e.rank < f.best.rank {
			f.best = e
		}
		return
	}
}
