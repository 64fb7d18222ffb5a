package rules

import (
	"sort"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// NearMiss is a rule that also matches, or would match on another host, and why it does not decide.
type NearMiss struct {
	Rule Ref
	Why  string
}

// NearMisses returns the other rules about a path, for an operator who wonders why a page is public.
func (rs *Set) NearMisses(host string, p urlpath.Path) []NearMiss {
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
		rs.trie.Each(host, path, func(rank int) {
			note(rs.byRank[rank], "matches, but the rule that decides is more specific")
		})
	}
	for _, r := range rs.rules {
		for _, h := range r.hosts {
			if h != host {
				rs.trie.Each(h, p.String(), func(rank int) {
					if rs.byRank[rank] == r {
						note(r, "matches the path, but not on this host")
					}
				})
			}
		}
	}
	sort.SliceStable(misses, func(i, j int) bool { return misses[i].Rule.Line < misses[j].Rule.Line })
	return misses
}
