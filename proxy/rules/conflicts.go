package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/pattern"
)

// patternAt is one pattern of a rule, with its key in the file.
type patternAt struct {
	pattern pattern.Pattern
	rule    *rule
	key     string
}

func (at patternAt) String() string { return setting.Quote(at.pattern.String()) }

// routeSyntax matches what other routers and regular expressions use for a variable part.
var routeSyntax = regexp.MustCompile(`\{[^/]*\}|<[^/]+>|\$\{?[A-Za-z_]+|/:[A-Za-z_]+|\[[^/]+\][+*]?|\([^/]*\)[?+*]`)

// conflictCheck compares the rules of one file with one another.
type conflictCheck struct {
	env      Env
	all      []patternAt
	same     map[string][]int // indexes of the patterns with one folded form
	index    *pattern.Index
	problems []setting.Problem
	reported map[int]bool // patterns that tie or never decide: one report is enough
}

// checkConflicts finds mistakes in the rules as a whole: ties, rules that never decide, overlaps that make a page
// public unintentionally, and reserved paths.
func (rs *Set) checkConflicts(env Env) []setting.Problem {
	c := &conflictCheck{env: env, same: map[string][]int{}, reported: map[int]bool{}}
	for _, r := range rs.rules {
		for i, p := range r.patterns {
			c.all = append(c.all, patternAt{p, r, r.keys[i]})
		}
	}
	reserved := reservedPaths(rs.prefix)
	for i, at := range c.all {
		if k := slices.IndexFunc(reserved, func(r reservedPath) bool { return r.pattern.Contains(at.pattern) }); k >= 0 {
			c.report(i, at.String()+reserved[k].why, reserved[k].cure)
		}
		if word := routeSyntax.FindString(at.pattern.String()); word != "" {
			c.warn(i, fmt.Sprintf("%s has %s, which matches only itself", at, setting.Quote(word)),
				"write * for any characters within a segment, or ** for any segments")
		}
		folded := at.pattern.Folded()
		c.same[folded] = append(c.same[folded], i)
	}
	for i := range c.all {
		c.check(i)
	}
	return c.problems
}

// check compares one pattern with the earlier ones. Two simple patterns contain one another or have no path in common,
// so it needs to look up only the same form and the folders above.
func (c *conflictCheck) check(i int) {
	at := c.all[i]
	if !at.pattern.Simple() {
		c.checkWildcard(i)
		return
	}
	for _, k := range c.same[at.pattern.Folded()] {
		if k < i {
			c.tie(k, i)
		}
	}
	if k, ok := c.namedEverywhere(i); ok {
		c.unreachable(i, k)
	}
	if at.rule.hosts == nil {
		for _, above := range at.pattern.Above() {
			for _, k := range c.same[above] {
				c.lacksHosts(i, k)
			}
		}
	}
}

// checkWildcard is check for a pattern with * or an inner **. Of two such patterns only the later is compared.
func (c *conflictCheck) checkWildcard(i int) {
	if c.index == nil {
		patterns := make([]pattern.Pattern, len(c.all))
		for k, at := range c.all {
			patterns[k] = at.pattern
		}
		c.index = pattern.NewIndex(patterns)
	}
	for _, k := range c.index.Intersecting(c.all[i].pattern) {
		if k == i || (k > i && !c.all[k].pattern.Simple()) {
			continue
		}
		earlier, later := min(i, k), max(i, k)
		if c.tie(earlier, later) {
			continue
		}
		c.overlap(earlier, later)
		c.hides(earlier, later)
		c.hides(later, earlier)
		c.lacksHosts(earlier, later)
		c.lacksHosts(later, earlier)
	}
	if k, ok := c.namedEverywhere(i); ok {
		c.unreachable(i, k)
	}
}

func (c *conflictCheck) report(i int, text, cure string) {
	c.problems = append(c.problems, setting.Problem{Key: c.all[i].key, Text: text, Cure: cure})
}

func (c *conflictCheck) warn(i int, text, cure string) {
	c.problems = append(c.problems, setting.Problem{Key: c.all[i].key, Text: text, Cure: cure, Warning: true})
}

// tie reports two patterns of which neither is more specific although some host and path matches both.
func (c *conflictCheck) tie(earlier, later int) bool {
	a, b := c.all[earlier], c.all[later]
	if a.pattern.Compare(b.pattern) != 0 || !sameHosts(a.rule, b.rule) || !a.pattern.Intersects(b.pattern) {
		return false
	}
	if c.reported[later] {
		return true
	}
	c.reported[later] = true
	c.report(later,
		fmt.Sprintf("%s and %s (%s) match the same paths, and neither is more specific", b, a, a.rule.place()),
		"merge the rules, or make one pattern more specific; "+unselective()+" do not select a rule")
	return true
}

// unselective returns the keys of a rule that decide only after it was selected.
func unselective() string {
	var keys []string
	for _, k := range ruleKeys {
		if k.require != nil {
			keys = append(keys, k.Name)
		}
	}
	last := len(keys) - 1
	return strings.Join(keys[:last], ", ") + " and " + keys[last]
}

// sameHosts reports whether both rules have hosts, one of which is the same, or neither has. A rule with hosts beats
// one without, so those do not tie.
func sameHosts(a, b *rule) bool {
	if (a.hosts == nil) != (b.hosts == nil) {
		return false
	}
	return a.hosts == nil || slices.ContainsFunc(a.hosts, func(h string) bool { return slices.Contains(b.hosts, h) })
}

// overlap reports two patterns of which the winner opens a part of what the other protects, without a rule for that
// part.
func (c *conflictCheck) overlap(earlier, later int) {
	a, b := c.all[earlier], c.all[later]
	order := a.pattern.Compare(b.pattern)
	if order == 0 || a.rule == b.rule || !hostsIntersect(a.rule, b.rule) {
		return // tie reports it; a rule that alone has hosts is meant to win
	}
	winner, loser := a, b
	if order > 0 {
		winner, loser = b, a
	}
	if winner.pattern.Contains(loser.pattern) || loser.pattern.Contains(winner.pattern) ||
		!moreOpen(winner.rule, loser.rule) {
		return
	}
	both := setting.Quote(winner.pattern.CommonExample(loser.pattern))
	c.report(later, fmt.Sprintf("%s and %s (%s) both match %s, where the more open one, %s, would apply",
		b, a, a.rule.place(), both, winner), "add a rule for the overlap")
}

func hostsIntersect(a, b *rule) bool { return a.hosts == nil || b.hosts == nil || sameHosts(a, b) }

// lacksHosts warns of an exception for all hosts that opens a part of what a rule protects on some of them.
func (c *conflictCheck) lacksHosts(winner, loser int) {
	w, l := c.all[winner], c.all[loser]
	if w.rule.hosts != nil || l.rule.hosts == nil || !moreOpen(w.rule, l.rule) ||
		w.pattern.Compare(l.pattern) >= 0 || !l.pattern.Contains(w.pattern) {
		return
	}
	c.warn(max(winner, loser), fmt.Sprintf("%s (%s) opens part of %s (%s) on every host, because it has no hosts",
		w, w.rule.place(), l, l.rule.place()),
		"add hosts: ["+strings.Join(l.rule.hosts, ", ")+"] if it is meant only for those")
}

// hides reports a pattern that another one always beats.
func (c *conflictCheck) hides(by, hidden int) {
	b, h := c.all[by], c.all[hidden]
	if b.rule == h.rule || b.pattern.Compare(h.pattern) >= 0 || !b.pattern.Contains(h.pattern) ||
		(b.rule.hosts != nil && (h.rule.hosts == nil || !subset(h.rule.hosts, b.rule.hosts))) {
		return
	}
	c.unreachable(hidden, by)
}

func (c *conflictCheck) unreachable(hidden, by int) {
	if c.reported[hidden] {
		return
	}
	c.reported[hidden] = true
	h, b := c.all[hidden], c.all[by]
	c.report(hidden, fmt.Sprintf("%s never applies: %s (%s) always matches first", h, b, b.rule.place()),
		"remove one of them")
}

// namedEverywhere returns the last of the rules of the same pattern whose hosts are, together, all public hosts.
func (c *conflictCheck) namedEverywhere(i int) (by int, ok bool) {
	at := c.all[i]
	if at.rule.hosts != nil || len(c.env.Hosts) == 0 {
		return 0, false
	}
	named := map[string]bool{}
	for _, k := range c.same[at.pattern.Folded()] {
		for _, h := range c.all[k].rule.hosts {
			named[h], by = true, k
		}
	}
	return by, !slices.ContainsFunc(c.env.Hosts, func(h string) bool { return !named[h] })
}
