package rules

import (
	"math"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Match is what the rules ask for at one path on one host, for every visitor.
type Match struct {
	rules  *Set
	rule   *rule
	rank   int                   // noRank for a rule without a pattern that matches
	all    []*rule               // every rule that must be satisfied; nil if that is rule alone
	draft  bool                  // the address is that of an unpublished draft
	params urlpath.PreviewParams // those of a query that an origin may find in the path
}

// noRank is the rank of a rule that has no place in the order of specificity.
const noRank = math.MaxInt

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
	if rank, ok := rs.trie.Find(host, path); ok {
		m.rule, m.rank = rs.byRank[rank], rank
	}
	if !rs.spaced.Empty() && strings.IndexByte(path, ' ') >= 0 {
		rank, ok := rs.spaced.Find(host, path)
		if ok && rank < m.rank && (rs.byRank[rank].needsLogin() || !m.rule.hasSpace()) {
			m.rule, m.rank = rs.byRank[rank], rank
		}
	}
	switch {
	case m.rule.index < 0 && m.rule.access != public && m.rule != rs.fallback:
		// The rule of a HubSpot feature asks for any login; a wider configured rule may ask for more.
		if rank, ok := rs.operators.Find(host, path); ok {
			m.all = []*rule{rs.byRank[rank], m.rule}
		}
	case rs.speaksOfFiles:
		if files := rs.fileRules(host, path); len(files.all) > 0 {
			if m.all = files.all; m.rule.index >= 0 && !slices.Contains(files.all, m.rule) {
				m.all = append(m.all, m.rule)
			}
			if files.rank < m.rank || m.rule.index < 0 {
				m.rule, m.rank = files.best, files.rank
			}
		}
	}
	m.draft = strings.Contains(path, "/-temporary-slug-")
}
