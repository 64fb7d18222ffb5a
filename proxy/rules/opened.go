package rules

import "slices"

// Opened is a rule, and whether members of given groups are admitted.
type Opened struct {
	Rule   Ref
	Paths  []string
	Groups []string
	Open   bool
}

// OpenedBy returns the configured rules that need a login, and whether their groups admit a member of the given ones.
func (rs *Set) OpenedBy(groups []string) []Opened {
	var list []Opened
	for _, r := range rs.rules {
		if r.access != login {
			continue
		}
		wanted := r.groups()
		o := Opened{Rule: r.ref(), Groups: wanted, Open: len(wanted) == 0}
		for _, g := range wanted {
			o.Open = o.Open || slices.Contains(groups, g)
		}
		for _, p := range r.patterns {
			o.Paths = append(o.Paths, p.String())
		}
		list = append(list, o)
	}
	return list
}

// groups returns the groups that the rule asks for, nil for any.
func (r *rule) groups() []string {
	for _, q := range r.requirements {
		if g, ok := q.(anyGroup); ok {
			return g
		}
	}
	return nil
}
