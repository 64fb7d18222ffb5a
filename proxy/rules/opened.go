package rules

import (
	"time"

	"github.com/hubgate/hubgate/session"
)

// Opened is a rule, what it asks for, and whether a session satisfies it.
type Opened struct {
	Rule  Ref
	Paths []string
	Asks  string
	// Unmet is what a request of the session gets, and a Decision without a Kind if it is admitted.
	Unmet Decision
}

// OpenedBy returns the configured rules that need a login, and whether they admit a session, by any of their methods.
func (rs *Set) OpenedBy(s *session.Session, now time.Time) []Opened {
	q := request{session: s, now: now, skew: rs.env.ClockSkew}
	var list []Opened
	for _, r := range rs.rules {
		if r.access != login {
			continue
		}
		o := Opened{Rule: r.ref(), Asks: r.asks(), Unmet: r.requirements.unmet(q, false)}
		for _, p := range r.patterns {
			o.Paths = append(o.Paths, p.String())
		}
		list = append(list, o)
	}
	return list
}
