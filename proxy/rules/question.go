package rules

// Only returns a match that asks for a login and what else the keys of rc ask for, for questions without a path.
func (rs *Set) Only(rc RuleConfig) Match {
	asked := &rule{index: -1, name: "question", access: login, requirements: requirementsOf(rc, rs.env)}
	return Match{rules: rs, rule: asked, rank: noRank}
}

// And returns a match that asks for what the keys of rc ask for in addition. It can only be stricter.
func (m Match) And(rc RuleConfig) Match {
	m.join(m.rules.Only(rc))
	return m
}
