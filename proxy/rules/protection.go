package rules

import (
	"slices"
	"strings"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Protection is what a path asks of a visitor: the rules that must all be satisfied.
type Protection struct{ rules []rule }

// Protection returns what the rules ask for at a path with a query's preview parameters.
func (rs *Set) Protection(host string, p urlpath.Path, params urlpath.PreviewParams) Protection {
	m := rs.Match(host, p)
	var all Protection
	for i := 0; ; i++ {
		r := m.ruleAt(i, params)
		if r == nil {
			return all
		}
		asks := *r
		if asks.access = rs.accessFor(r); asks.access == public && asks.requirements.String() == "" && i > 0 {
			continue
		}
		all.rules = append(all.rules, asks)
	}
}

// MoreOpen reports whether p admits anybody whom q does not: no rule of p is as strict as some rule of q.
func (p Protection) MoreOpen(q Protection) bool {
	return slices.ContainsFunc(q.rules, func(want rule) bool {
		return !slices.ContainsFunc(p.rules, func(have rule) bool { return !moreOpen(&have, &want) })
	})
}

// moreOpen reports whether a admits anybody whom b does not.
func moreOpen(a, b *rule) bool {
	switch {
	case b.access == refuse:
		return a.access != refuse
	case a.access == refuse:
		return false
	case a.access == public && b.access != public:
		return true
	}
	return a.requirements.weakerThan(b.requirements)
}

// String returns it in words, for explain and diff. A public rule asks for nothing beside others.
func (p Protection) String() string {
	var texts []string
	for _, r := range p.rules {
		if text := r.asks(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	if len(texts) > 1 {
		texts = slices.DeleteFunc(texts, func(text string) bool { return text == "public" })
	}
	return strings.Join(texts, " and ")
}

// asks returns what the rule asks for.
func (r *rule) asks() string {
	switch r.access {
	case public:
		return "public" + r.requirements.String()
	case refuse:
		return "refuse"
	}
	return "login" + r.requirements.String()
}
