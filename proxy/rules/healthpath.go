package rules

import (
	"slices"

	"github.com/hubgate/hubgate/proxy/pattern"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// endpoint reports whether a path is one that rules do not reach, the gateway's own or the health path, and returns the
// pattern to show for it. Only one spelling is the health path.
func (rs *Set) endpoint(p urlpath.Path) (shown string, ok bool) {
	if _, own := p.Under(rs.prefix); own && rs.prefix != "" {
		return rs.prefix + "/**", true
	}
	return rs.env.HealthPath, rs.env.HealthPath != "" && p.Escaped() == rs.env.HealthPath
}

// Naming returns a rule that names a path: some pattern of it matches, and has more than wildcards. The result has that
// pattern as its path, and no line for a built-in rule.
func (rs *Set) Naming(path string) (ref Ref, ok bool) {
	wanted, bad := pattern.Parse(path)
	if bad != nil {
		return Ref{}, false
	}
	for _, r := range slices.Concat(rs.rules, rs.builtin) {
		for _, p := range r.patterns {
			if !p.OnlyWildcards() && p.Contains(wanted) {
				return Ref{Name: r.name, Path: p.String(), Line: r.line}, true
			}
		}
	}
	return Ref{}, false
}
