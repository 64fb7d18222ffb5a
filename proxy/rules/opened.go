package rules

import (
	"slices"
)

// Opened is a rule and whether given groups open it.
type Opened struct {
	Rule   Ref
	Paths  []string
	Groups []string
	Open   bool
}

// OpenedBy lists the operator's rules that need a login and whether somebody in these groups is admitted by their groups.
func (rs *Set) OpenedBy(groups []string) []Opened {
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
