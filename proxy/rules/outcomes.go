package rules

import "slices"

// Outcomes are what requests of a rule can end with, for the metrics.
type Outcomes struct {
	Rule    string
	Kinds   []Kind   // what the rule decides about the methods that it takes
	Methods []string // that the rule takes; it refuses all others
}

// Outcomes returns those of all rules, the built-in ones first. Rules of one name are one.
func (rs *Set) Outcomes() []Outcomes {
	var all []Outcomes
	at := map[string]int{}
	for _, r := range append(append(slices.Clone(rs.builtin), rs.fallback, rs.previews, rs.debug), rs.rules...) {
		o := rs.outcomesOf(r)
		if i, known := at[r.name]; known {
			all[i].Kinds, all[i].Methods = union(all[i].Kinds, o.Kinds), union(all[i].Methods, o.Methods)
			continue
		}
		at[r.name] = len(all)
		all = append(all, o)
	}
	return all
}

func (rs *Set) outcomesOf(r *rule) Outcomes {
	o := Outcomes{Rule: r.name, Methods: knownMethods}
	switch rs.accessFor(r) {
	case public:
		o.Kinds = []Kind{Public}
	case refuse:
		o.Kinds = []Kind{Refuse}
	default: // without a requirement, it forbids WebSockets of other sites
		o.Kinds = []Kind{Allow, Login, Forbid}
	}
	for _, need := range r.requirements {
		if methods, ok := need.(oneMethod); ok {
			o.Methods = methods
		}
	}
	return o
}

// union returns the elements of either list, each once.
func union[T comparable](a, b []T) []T {
	both := slices.Clone(a)
	for _, e := range b {
		if !slices.Contains(both, e) {
			both = append(both, e)
		}
	}
	return both
}

// Names returns the names of all rules, the built-in ones first. They are the values of the rule label.
func (rs *Set) Names() []string {
	var names []string
	for _, o := range rs.Outcomes() {
		names = append(names, o.Rule)
	}
	return names
}
