package rules

import (
	"slices"
	"strings"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Match is what the rules say about one path on one host, before anybody asks who is there.
type Match struct {
	rules  *Set
	rule   *rule
	rank   int32
	all    []*rule               // every rule that must be satisfied; nil when that is rule alone
	draft  bool                  // an unpublished draft's address
	params urlpath.PreviewParams // what the path opens besides the query
}

// Match finds the rules for a path: the one that decides each of its readings. It does not allocate but for a path of
// several readings, and for HubSpot's files while a rule speaks about those.
func (rs *Set) Match(host string, p urlpath.Path) Match {
	m := Match{rules: rs, rule: rs.fallback, rank: noRank}
	m.read(host, p.String())
	m.params = p.Params()
	for _, reading := range p.Alternatives() {
		o := Match{rules: rs, rule: rs.fallback, rank: noRank}
		o.read(host, reading)
		m.join(o)
	}
	return m
}

// join makes m ask for what o asks for as well.
func (m *Match) join(o Match) {
	all := m.all
	if len(all) == 0 {
		all = []*rule{m.rule}
	}
	for _, r := range append(o.all, o.rule) {
		if !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	if len(all) > 1 {
		m.all = all
	}
	if m.rule.access == public && o.rule.access != public {
		m.rule, m.rank = o.rule, o.rank
	}
	m.draft = m.draft || o.draft
}

// read finds the rule for one reading.
func (m *Match) read(host, path string) {
	rs := m.rules
	if e := rs.trie.find(host, path); e.rule != nil {
		m.rule, m.rank = e.rule, e.rank
	}
	if rs.spaced.root.best != 0 && strings.IndexByte(path, ' ') >= 0 {
		if e := rs.spaced.find(host, path); e.rank < m.rank && (e.rule.needsLogin() || !m.rule.hasSpace()) {
			m.rule, m.rank = e.rule, e.rank
		}
	}
	switch {
	case m.rule.index < 0 && m.rule.access != public && m.rule != rs.fallback:
		// A built-in door asks for any login; a wider rule of the operator's may ask for more.
		if e := rs.operators.find(host, path); e.rule != nil {
			m.all = []*rule{e.rule, m.rule}
		}
	case rs.speaksOfFiles:
		if all, best := rs.fileRules(host, path); len(all) > 0 {
			if m.all = all; m.rule.index >= 0 && !slices.Contains(all, m.rule) {
				m.all = append(m.all, m.rule)
			}
			if best.rank < m.rank || m.rule.index < 0 {
				m.rule, m.rank = best.rule, best.rank
			}
		}
	}
	m.draft = strings.Contains(path, "/-temporary-slug-")
}
