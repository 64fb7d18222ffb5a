package rules

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/session"
)

// allClaims admits users each of whose named claims has one of its values.
type allClaims []claim

type claim struct {
	name     string
	property string // of the contact, for a claim named hubspot.PROPERTY
	values   []string
}

func requireClaims(r RuleConfig, _ Env) requirement {
	if len(r.Claims) == 0 {
		return nil
	}
	var all allClaims
	for _, name := range slices.Sorted(maps.Keys(r.Claims)) {
		property, ofContact := strings.CutPrefix(name, session.CRMClaimPrefix)
		if !ofContact {
			property = ""
		}
		all = append(all, claim{name, property, r.Claims[name]})
	}
	return all
}

func (cs allClaims) unmet(q request) Decision {
	var failed Decision
	for _, c := range cs {
		failed = failed.or(c.unmet(q))
	}
	return failed
}

func (c claim) unmet(q request) Decision {
	switch {
	case c.property != "":
		return q.propertyUnmet(c.property, c.values)
	case hasValue(q.session.Claims[c.name], c.values):
		return Decision{}
	}
	return forbidden(ReasonClaims)
}

// hasValue reports whether a claim, as text, is one of the values. Of an array any element may be. A missing claim and
// an object never are.
func hasValue(claim any, values []string) bool {
	switch v := claim.(type) {
	case nil:
		return false
	case []any:
		return slices.ContainsFunc(v, func(element any) bool { return element != nil && hasValue(element, values) })
	case []string:
		return slices.ContainsFunc(v, func(element string) bool { return slices.Contains(values, element) })
	case string:
		return slices.Contains(values, v)
	case map[string]any:
		return false
	case float64: // a JSON number; fmt would print 1e+06
		return slices.Contains(values, strconv.FormatFloat(v, 'f', -1, 64))
	}
	return slices.Contains(values, fmt.Sprint(claim))
}

func (cs allClaims) weakerThan(other requirement) bool {
	return slices.ContainsFunc(other.(allClaims), func(want claim) bool {
		return !slices.ContainsFunc(cs, func(c claim) bool {
			return c.name == want.name && subset(c.values, want.values)
		})
	})
}

func (cs allClaims) String() string {
	texts := make([]string, len(cs))
	for i, c := range cs {
		texts[i] = c.name + " " + strings.Join(c.values, "|")
	}
	return strings.Join(texts, ", ")
}
