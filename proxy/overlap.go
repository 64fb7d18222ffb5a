package proxy

import (
	"fmt"
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

// judge finds what is wrong with the rules as a whole: ties, rules that never decide, overlaps that open a page by accident, and
// paths that must not be gated.
func (rs *Rules) judge(env RulesEnv) []setting.Problem {
	var all []patternAt
	for _, r := range rs.rules {
		for j, p := range r.patterns {
			all = append(all, patternAt{p, r, pathKey(r.index, j, len(r.patterns))})
		}
	}
	var problems []setting.Problem
	for _, at := range all {
		problems = append(problems, rs.untouchable(at, env)...)
	}
	problems = append(problems, ties(all)...)
	return append(problems, overlaps(all, env)...)
}

// untouchable: what HubSpot or its visitors need in the open, and the gateway's own endpoints.
func (rs *Rules) untouchable(at patternAt, env RulesEnv) []setting.Problem {
	if env.AuthPrefix != "" {
		own := pattern{segments: append(literals(rs.prefix), segment{kind: doubleStar})}
		if contains(own, at.pattern) {
			return []setting.Problem{{Key: at.key, Text: quote(at.pattern.text) + " lies inside the gateway's own endpoints, which rules do not reach",
				Cure: "remove it, or choose another auth.prefix"}}
		}
	}
	for _, must := range mustStayPublic {
		p, _ := parsePattern(must.pattern)
		if contains(p, at.pattern) {
			return []setting.Problem{{Key: at.key, Text: quote(at.pattern.text) + " must stay public: " + must.why,
				Cure: "remove it; a wider rule such as /hs/** does not reach these paths"}}
		}
	}
	return nil
}

func literals(path string) []segment {
	var segments []segment
	for _, part := range splitPath(path) {
		segments = append(segments, segment{kind: literal, text: part})
	}
	return segments
}

// ties are patterns of which neither is more specific although some host and path matches both. Patterns of the same spelling are
// found by a map; only those with * or an inner ** need comparing.
func ties(all []patternAt) []setting.Problem {
	var problems []setting.Problem
	seen := map[string][]patternAt{}
	var odd []patternAt
	for _, later := range all {
		key := later.pattern.folded()
		candidates := seen[key]
		if !later.pattern.simple() {
			candidates = append(slices.Clone(candidates), odd...)
			odd = append(odd, later)
		}
		for _, earlier := range candidates {
			if compare(earlier.pattern, later.pattern) == 0 && sameHosts(earlier.rule, later.rule) && meets(earlier.pattern, later.pattern) {
				problems = append(problems, tie(earlier, later))
				break
			}
		}
		seen[key] = append(seen[key], later)
	}
	return problems
}

func tie(earlier, later patternAt) setting.Problem {
	return setting.Problem{
		Key:  later.key,
		Text: fmt.Sprintf("%s and %s of %s match the same paths, and neither is more specific", quote(later.pattern.text), quote(earlier.pattern.text), earlier.rule.place()),
		Cure: "make one rule of them, or make one pattern more specific; methods, groups and claims do not choose between rules",
	}
}

// sameHosts: both with overlapping hosts, or both without. One with hosts beats one without, so those do not tie.
func sameHosts(a, b *rule) bool {
	if (a.hosts == nil) != (b.hosts == nil) {
		return false
	}
	return a.hosts == nil || slices.ContainsFunc(a.hosts, func(h string) bool { return slices.Contains(b.hosts, h) })
}

func hostsMeet(a, b *rule) bool { return a.hosts == nil || b.hosts == nil || sameHosts(a, b) }

// overlaps finds rules that never decide, and winners that open what another rule protects without anybody having said so. Two simple
// patterns need no comparing: they contain one another or do not meet.
func overlaps(all []patternAt, env RulesEnv) []setting.Problem {
	var problems []setting.Problem
	var odd []patternAt
	for j, later := range all {
		earlier := odd
		if !later.pattern.simple() {
			earlier = all[:j]
			odd = append(odd, later)
		}
		for _, e := range earlier {
			problems = append(problems, overlap(e, later)...)
		}
	}
	return append(problems, unreachable(all, env)...)
}

// overlap judges one pair.
func overlap(earlier, later patternAt) []setting.Problem {
	if earlier.rule == later.rule || !hostsMeet(earlier.rule, later.rule) || !meets(earlier.pattern, later.pattern) {
		return nil
	}
	order := compare(earlier.pattern, later.pattern)
	if order == 0 {
		return nil // a tie is told elsewhere; with hosts on one side only, that one is meant to win
	}
	winner, loser := earlier, later
	if order > 0 {
		winner, loser = later, earlier
	}
	if contains(winner.pattern, loser.pattern) || contains(loser.pattern, winner.pattern) || !moreOpen(winner.rule, loser.rule) {
		return nil
	}
	return []setting.Problem{{
		Key: later.key,
		Text: fmt.Sprintf("%s and %s of %s both match %s, and the more open one, %s, would win there",
			quote(later.pattern.text), quote(earlier.pattern.text), earlier.rule.place(), quote(example(winner.pattern, loser.pattern)), quote(winner.pattern.text)),
		Cure: "write a rule for the overlap that says what is meant",
	}}
}

// unreachable finds patterns that another rule's always beat.
func unreachable(all []patternAt, env RulesEnv) []setting.Problem {
	byPattern := map[string][]patternAt{}
	for _, at := range all {
		byPattern[at.pattern.folded()] = append(byPattern[at.pattern.folded()], at)
	}
	var problems []setting.Problem
	for _, at := range all {
		if by := shadowedBy(at, all, byPattern, env); by != nil {
			problems = append(problems, setting.Problem{Key: at.key,
				Text: fmt.Sprintf("%s can never decide: %s of %s matches first wherever it matches", quote(at.pattern.text), quote(by.pattern.text), by.rule.place()),
				Cure: "remove one of them"})
		}
	}
	return problems
}

func shadowedBy(at patternAt, all []patternAt, byPattern map[string][]patternAt, env RulesEnv) *patternAt {
	if at.rule.hosts == nil && len(env.Hosts) > 0 { // rules of the same pattern that name every public host between them
		named := map[string]bool{}
		same := byPattern[at.pattern.folded()]
		for i := range same {
			for _, h := range same[i].rule.hosts {
				named[h] = true
			}
			if !slices.ContainsFunc(env.Hosts, func(h string) bool { return !named[h] }) {
				return &same[i]
			}
		}
	}
	if at.pattern.simple() {
		return nil // what contains it and wins would have to end in ** where it goes on, and that is never more specific
	}
	for i := range all {
		other := all[i]
		if other.rule != at.rule && compare(other.pattern, at.pattern) < 0 && contains(other.pattern, at.pattern) &&
			(other.rule.hosts == nil || (at.rule.hosts != nil && subset(at.rule.hosts, other.rule.hosts))) {
			return &all[i]
		}
	}
	return nil
}

func subset(of, in []string) bool {
	return !slices.ContainsFunc(of, func(h string) bool { return !slices.Contains(in, h) })
}

// moreOpen tells whether a admits anybody whom b does not.
func moreOpen(a, b *rule) bool {
	switch {
	case b.access == public:
		return false
	case a.access == public:
		return true
	case b.groups != nil && (a.groups == nil || !subset(a.groups, b.groups)):
		return true
	case b.maxAuthAge > 0 && (a.maxAuthAge == 0 || a.maxAuthAge > b.maxAuthAge):
		return true
	case b.methods != nil && (a.methods == nil || !subset(a.methods, b.methods)):
		return true
	}
	for _, want := range b.claims {
		if !slices.ContainsFunc(a.claims, func(c claim) bool { return c.name == want.name && subset(c.values, want.values) }) {
			return true
		}
	}
	return false
}

func (r *rule) place() string {
	if r.line > 0 {
		return "line " + itoa(r.line)
	}
	return "rule " + quote(r.name)
}

// example is a path that both patterns match.
func example(a, b pattern) string {
	parts := commonPath(a.segments, b.segments)
	return "/" + strings.Join(parts, "/")
}
