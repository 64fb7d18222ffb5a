package rules

import "strings"

// requirements has one element per element of ruleKeys, nil for a key that the rule does not have.
type requirements []requirement

// requirementsOf ignores the keys that have no effect on a public page: validatePublic reports them, and a comparison
// with other rules must not.
func requirementsOf(r RuleConfig, env Env) requirements {
	all := make(requirements, len(ruleKeys))
	for i, k := range ruleKeys {
		if k.require != nil && (k.anonymous || r.Access != "public") {
			all[i] = k.require(r, env)
		}
	}
	return all
}

// unmet returns the decision of the first requirement that the request does not meet, of those that apply to
// anonymous visitors or of the others. A requirement of which that is unknown comes last.
func (rs requirements) unmet(q request, anonymous bool) Decision {
	var failed Decision
	for i, r := range rs {
		if r != nil && ruleKeys[i].anonymous == anonymous {
			failed = failed.or(r.unmet(q))
		}
	}
	return failed
}

// weakerThan reports whether rs admits a request that others does not.
func (rs requirements) weakerThan(others requirements) bool {
	for i, other := range others {
		if other != nil && (rs[i] == nil || rs[i].weakerThan(other)) {
			return true
		}
	}
	return false
}

// String returns all requirements, each after a comma.
func (rs requirements) String() string {
	var text strings.Builder
	for _, r := range rs {
		if r != nil {
			text.WriteString(", " + r.String())
		}
	}
	return text.String()
}
