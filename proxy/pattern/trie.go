package pattern

import (
	"math"
	"slices"
	"strings"
)

// Trie finds the patterns that match a path, one node per segment. Each is known by its rank, of which the smallest
// wins, so the order of the search does not matter.
type Trie struct {
	root  node
	stars int // how many inner ** it has: nodes below a ** at which a pattern does not end
}

type node struct {
	literals map[string]*node
	globs    map[string][]globEdge // by what precedes the first *
	prefixes []int                 // the lengths of the keys of globs
	any      *node                 // below **
	star     int                   // the number of a node below an inner **, from 1; 0 for every other node
	entries  []entry               // patterns that end here, the best rank first
	best     int                   // 1 + the smallest rank in this subtree, which is skipped if it cannot win
}

type globEdge struct {
	text string
	next *node
}

type entry struct {
	rank  int
	hosts []string // nil for all
}

// forHost reports whether the pattern applies on a host.
func (e entry) forHost(host string) bool { return e.hosts == nil || slices.Contains(e.hosts, host) }

const noRank = math.MaxInt

// Add adds a pattern that applies on some hosts, nil for all. Several patterns may have the same rank.
func (t *Trie) Add(p Pattern, rank int, hosts []string) {
	n := &t.root
	n.lower(rank)
	for i, s := range p.segments {
		if i > 0 && p.segments[i-1].kind == doubleStar && n.star == 0 {
			t.stars++
			n.star = t.stars
		}
		n = n.child(s)
		n.lower(rank)
	}
	i := 0
	for i < len(n.entries) && n.entries[i].rank <= rank {
		i++
	}
	n.entries = slices.Insert(n.entries, i, entry{rank, hosts})
}

// lower records a rank of the subtree. It adds 1, so that the zero value means a node without entries.
func (n *node) lower(rank int) {
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

// Empty reports whether no pattern was added.
func (t *Trie) Empty() bool { return t.root.best == 0 }

// Find returns the smallest rank of the patterns that match a folded path on a host.
func (t *Trie) Find(host, path string) (rank int, ok bool) {
	f := finder{host: host, best: noRank}
	f.walk(&t.root, path)
	return f.best, f.best != noRank
}

// Each calls visit with the rank of every pattern that matches, in no particular order.
func (t *Trie) Each(host, path string, visit func(rank int)) {
	f := finder{host: host, best: noRank, visit: visit}
	f.walk(&t.root, path)
}

type finder struct {
	host  string
	best  int
	visit func(rank int)
	few   [4]uint64 // which inner ** were reached, a bit for each; those with greater numbers are in many
	many  []uint64
}

// walk matches rest below n. rest is "", "/" (both the end), or begins with a slash.
func (f *finder) walk(n *node, rest string) {
	if f.visit == nil && n.best > f.best {
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

// reached reports whether the walk was below this inner ** before. Then it was there with a longer rest, because an
// outer ** matches as little as possible first, and there is nothing new to find. It remembers every one: otherwise the
// time would grow with a power of the path's length (CWE-407).
func (f *finder) reached(n *node) bool {
	if n.star == 0 {
		return false // a visit is one step
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

// walkAny lets ** match none, one, two ... segments. It takes the patterns that end in ** at once.
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

// take takes the best pattern of a node that applies on the host, or visits all of them.
func (f *finder) take(n *node) {
	for _, e := range n.entries {
		if !e.forHost(f.host) {
			continue
		}
		if f.visit != nil {
			f.visit(e.rank)
			continue
		}
		f.best = min(f.best, e.rank)
		return
	}
}
