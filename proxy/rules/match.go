package rules

import (
	"slices"
	"strings"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Match is what the rules ask for at one path on one host, whoever the visitor is.
type Match struct {
	rules  *Set
	rule   *rule
	rank   int32
	all    []*rule               // every rule that must be satisfied; nil if that is rule alone
	draft  bool                  // the address is that of an unpublished draft
	params urlpath.PreviewParams // those of a query that an origin may find in the path
}

// Match finds the rule that decides, for each reading of a path. It allocates only for a path with several readings,
// and for HubSpot's files if a rule is about files.
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

// join adds what o asks for to m.
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

// read finds the rule for one reading of the path.
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
		// The rule of a HubSpot feature asks for any login; a wider configured rule may ask for more.
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
