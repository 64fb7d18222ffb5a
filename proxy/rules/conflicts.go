package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// patternAt is one pattern and where it stands.
type patternAt struct {
	pattern pattern
	rule    *rule
	key     string
}

// routeSyntax is what other routers and regular expressions write for a variable part.
var routeSyntax = regexp.MustCompile(`\{[^/]*\}|<[^/]+>|\$\{?[A-Za-z_]+|/:[A-Za-z_]+|\[[^/]+\][+*]?|\([^/]*\)[?+*]`)

// conflictCheck compares the rules of one file with one another.
type conflictCheck struct {
	env      Env
	all      []patternAt
	same     map[string][]int // by the pattern's one spelling
	index    *intersectIndex
	problems []setting.Problem
	reported map[int]bool // patterns whose tie or uselessness was reported: once is enough
}

// checkConflicts finds what is wrong with the rules as a whole: ties, rules that never decide, overlaps that open a page by accident, and
// paths that must not be gated.
func (rs *Set) checkConflicts(env Env) []setting.Problem {
	j := &conflictCheck{env: env, same: map[string][]int{}, reported: map[int]bool{}}
	for _, r := range rs.rules {
		for i, p := range r.patterns {
			j.all = append(j.all, patternAt{p, r, r.keys[i]})
		}
	}
	untouched := reservedPaths(rs.prefix)
	for i, at := range j.all {
		if k := slices.IndexFunc(untouched, func(u reservedPath) bool { return u.covers(at.pattern) }); k >= 0 {
			j.report(i, setting.Quote(at.pattern.text)+untouched[k].why, untouched[k].cure)
		}
		if word := routeSyntax.FindString(at.pattern.text); word != "" {
			j.problems = append(j.problems, setting.Problem{Key: at.key, Warning: true, Text: setting.Quote(at.pattern.text) + " has " + setting.Quote(word) + ", which matches only itself",
				Cure: "write * for any characters within a segment, or ** for any segments"})
		}
		spelling := at.pattern.folded()
		j.same[spelling] = append(j.same[spelling], i)
	}
	for i := range j.all {
		j.check(i)
	}
	return j.problems
}

// check compares one pattern with the earlier ones. Two simple patterns contain one another or have no path in common, so only their
// spelling and the folders above need to be looked up.
func (j *conflictCheck) check(i int) {
	at := j.all[i]
	if !at.pattern.simple() {
		j.checkWildcard(i)
		return
	}
	for _, k := range j.same[at.pattern.folded()] {
		if k < i {
			j.tie(k, i)
		}
	}
	if k, ok := j.namedEverywhere(i); ok {
		j.unreachable(i, k)
	}
	if at.rule.hosts == nil {
		for _, above := range at.pattern.above() {
			for _, k := range j.same[above] {
				j.lacksHosts(i, k)
			}
		}
	}
}

// checkWildcard is judge for a pattern with * or an inner **. Of two odd ones the later looks at the earlier.
func (j *conflictCheck) checkWildcard(i int) {
	if j.index == nil {
		j.index = newIntersectIndex(j.all)
	}
	for _, k := range j.index.intersecting(j.all[i].pattern) {
		if k == i || (k > i && !j.all[k].pattern.simple()) {
			continue
		}
		earlier, later := min(i, k), max(i, k)
		if j.tie(earlier, later) {
			continue
		}
		j.overlap(earlier, later)
		j.hides(earlier, later)
		j.hides(later, earlier)
		j.lacksHosts(earlier, later)
		j.lacksHosts(later, earlier)
	}
	if k, ok := j.namedEverywhere(i); ok {
		j.unreachable(i, k)
	}
}

func (j *conflictCheck) report(later int, text, cure string) {
	j.problems = append(j.problems, setting.Problem{Key: j.all[later].key, Text: text, Cure: cure})
}

// tie: neither pattern is more specific although some host and path matches both.
func (j *conflictCheck) tie(earlier, later int) bool {
	a, b := j.all[earlier], j.all[later]
	if compare(a.pattern, b.pattern) != 0 || !sameHosts(a.rule, b.rule) || !intersects(a.pattern, b.pattern) {
		return false
	}
	if j.reported[later] {
		return true
	}
	j.reported[later] = true
	j.report(later, fmt.Sprintf("%s and %s (%s) match the same paths, and neither is more specific", setting.Quote(b.pattern.text), setting.Quote(a.pattern.text), a.rule.place()),
		"merge the rules, or make one pattern more specific; methods, groups and claims do not select a rule")
	return true
}

// sameHosts: both with overlapping hosts, or both without. One with hosts beats one without, so those do not tie.
func sameHosts(a, b *rule) bool {
	if (a.hosts == nil) != (b.hosts == nil) {
		return false
	}
	return a.hosts == nil || slices.ContainsFunc(a.hosts, func(h string) bool { return slices.Contains(b.hosts, h) })
}

// overlap: the winner opens what the loser protects, without anybody having said so.
func (j *conflictCheck) overlap(earlier, later int) {
	a, b := j.all[earlier], j.all[later]
	order := compare(a.pattern, b.pattern)
	if order == 0 || a.rule == b.rule || !hostsIntersect(a.rule, b.rule) {
		return // a tie is told elsewhere; with hosts on one side only, that one is meant to win
	}
	winner, loser := a, b
	if order > 0 {
		winner, loser = b, a
	}
	if contains(winner.pattern, loser.pattern) || contains(loser.pattern, winner.pattern) || !moreOpen(winner.rule, loser.rule) {
		return
	}
	j.report(later, fmt.Sprintf("%s and %s (%s) both match %s, where the more open one, %s, would apply",
		setting.Quote(b.pattern.text), setting.Quote(a.pattern.text), a.rule.place(), setting.Quote(commonExample(winner.pattern, loser.pattern)), setting.Quote(winner.pattern.text)),
		"add a rule for the overlap")
}

func hostsIntersect(a, b *rule) bool { return a.hosts == nil || b.hosts == nil || sameHosts(a, b) }

// lacksHosts warns of an exception for all hosts that opens a part of what a rule protects on some of them.
func (j *conflictCheck) lacksHosts(winner, loser int) {
	w, l := j.all[winner], j.all[loser]
	if w.rule.hosts != nil || l.rule.hosts == nil || !moreOpen(w.rule, l.rule) ||
		compare(w.pattern, l.pattern) >= 0 || !contains(l.pattern, w.pattern) {
		return
	}
	j.problems = append(j.problems, setting.Problem{Key: j.all[max(winner, loser)].key, Warning: true,
		Text: fmt.Sprintf("%s (%s) opens part of %s (%s) on every host, because it has no hosts", setting.Quote(w.pattern.text), w.rule.place(), setting.Quote(l.pattern.text), l.rule.place()),
		Cure: "add hosts: [" + strings.Join(l.rule.hosts, ", ") + "] if it is meant only for those"})
}

// hides reports a pattern that another one always beats.
func (j *conflictCheck) hides(by, hidden int) {
	b, h := j.all[by], j.all[hidden]
	if b.rule == h.rule || compare(b.pattern, h.pattern) >= 0 || !contains(b.pattern, h.pattern) ||
		(b.rule.hosts != nil && (h.rule.hosts == nil || !subset(h.rule.hosts, b.rule.hosts))) {
		return
	}
	j.unreachable(hidden, by)
}

func (j *conflictCheck) unreachable(hidden, by int) {
	if j.reported[hidden] {
		return
	}
	j.reported[hidden] = true
	h, b := j.all[hidden], j.all[by]
	j.report(hidden, fmt.Sprintf("%s never applies: %s (%s) always matches first", setting.Quote(h.pattern.text), setting.Quote(b.pattern.text), b.rule.place()),
		"remove one of them")
}

// namedEverywhere finds the last of rules of the same pattern that name every public host between them.
func (j *conflictCheck) namedEverywhere(i int) (by int, ok bool) {
	at := j.all[i]
	if at.rule.hosts != nil || len(j.env.Hosts) == 0 {
		return 0, false
	}
	named := map[string]bool{}
	for _, k := range j.same[at.pattern.folded()] {
		for _, h := range j.all[k].rule.hosts {
			named[h], by = true, k
		}
	}
	return by, !slices.ContainsFunc(j.env.Hosts, func(h string) bool { return !named[h] })
}

// commonExample is a path that both patterns match.
func commonExample(a, b pattern) string {
	parts, _ := commonPath(a.segments, b.segments)
	return "/" + strings.Join(parts, "/")
}
