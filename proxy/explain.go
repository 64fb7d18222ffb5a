package proxy

import (
	"net/url"
	"slices"
	"sort"
)

// NearMiss is a rule that also matches, or would have for another host, and why it does not decide.
type NearMiss struct {
	Rule RuleRef
	Why  string
}

// NearMisses lists what else speaks about a path, for a person who asks why a page is open.
func (rs *Rules) NearMisses(host string, p Path) []NearMiss {
	decided := rs.Match(host, p).rule
	var misses []NearMiss
	seen := map[*rule]bool{decided: true}
	note := func(r *rule, why string) {
		if !seen[r] {
			seen[r] = true
			misses = append(misses, NearMiss{r.ref(), why})
		}
	}
	for _, path := range p.Readings() {
		rs.trie.each(host, path, func(e entry) { note(e.rule, "matches, but the rule that decides is more specific") })
	}
	for _, r := range rs.rules {
		for _, h := range r.hosts {
			if h != host {
				rs.trie.each(h, p.String(), func(e entry) {
					if e.rule == r {
						note(r, "matches the path, but not on this host")
					}
				})
			}
		}
	}
	sort.SliceStable(misses, func(i, j int) bool { return misses[i].Rule.Line < misses[j].Rule.Line })
	return misses
}

// Opened is a rule and whether given groups open it.
type Opened struct {
	Rule   RuleRef
	Paths  []string
	Groups []string
	Open   bool
}

// OpenedBy lists the operator's rules that need a login and whether somebody in these groups is admitted by their groups.
func (rs *Rules) OpenedBy(groups []string) []Opened {
	var list []Opened
	for _, r := range rs.rules {
		if r.access != login {
			continue
		}
		wanted := r.groups()
		open := len(wanted) == 0 || slices.ContainsFunc(wanted, func(g string) bool { return slices.Contains(groups, g) })
		o := Opened{Rule: r.ref(), Groups: wanted, Open: open}
		for _, p := range r.patterns {
			o.Paths = append(o.Paths, p.text)
		}
		list = append(list, o)
	}
	return list
}

func (r *rule) groups() []string {
	for _, q := range r.requirements {
		if g, ok := q.(anyGroup); ok {
			return g
		}
	}
	return nil
}

// Pattern is one pattern of the rules, or a door that a query opens, with an escaped path that it matches: what a
// comparison of two files looks at.
type Pattern struct {
	Text    string
	Example string
	Doors   Doors
}

// Patterns lists every pattern of the rules, the operator's in file order first, and the doors. A pattern with ** comes with several
// examples, for each of which another rule may decide.
func (rs *Rules) Patterns() []Pattern {
	var all []Pattern
	for _, r := range append(slices.Clone(rs.rules), rs.builtin...) {
		for _, p := range r.patterns {
			for _, example := range p.examples() {
				escaped := (&url.URL{Path: example}).EscapedPath() // a space in it would end the target
				all = append(all, Pattern{Text: p.text, Example: escaped})
			}
		}
	}
	return append(all, Pattern{"?hs_preview", "/", PreviewDoor}, Pattern{"?hsDebug", "/", DebugDoor}, Pattern{"-temporary-slug-*", "/-temporary-slug-x", 0})
}

// examples are paths that the pattern matches, with ** for one segment, for none and for two.
func (p pattern) examples() []string {
	var all []string
	for _, below := range []string{"/x", "", "/x/x"} {
		path := ""
		for _, s := range p.segments {
			if s.kind == doubleStar {
				path += below
				continue
			}
			path += "/" + sample(s)
		}
		if path == "" {
			path = "/"
		}
		if !slices.Contains(all, path) {
			all = append(all, path)
		}
	}
	return all
}
