package rules

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// ListMistake returns what is wrong with a name for a list, and nil if hubspot.access.lists has it.
func (e Env) ListMistake(name string) *setting.Invalid {
	if _, known := e.Lists[name]; known {
		return nil
	}
	names := slices.Sorted(maps.Keys(e.Lists))
	bad := &setting.Invalid{
		Text: setting.Quote(name) + " is not in hubspot.access.lists",
		Cure: "add it there with the list's id, such as {customers: 1234}",
	}
	if near := setting.Nearest(name, names); near != "" {
		bad.Cure = "did you mean " + near + "?"
	} else if values := joined(name); len(values) > 1 {
		bad.Cure = "write a list: [" + strings.Join(values, ", ") + "]"
	} else if len(names) > 0 {
		bad.Cure = "add it there with the list's id; known lists: " + strings.Join(names, ", ")
	}
	for _, known := range names {
		if e.Lists[known] == name {
			bad.Text, bad.Cure = setting.Quote(name)+" is the id of a list, not its name", "write "+known
		}
	}
	return bad
}

// PropertyMistake returns what is wrong with the name of a property, and nil if hubspot.access.properties has it.
func (e Env) PropertyMistake(name string) *setting.Invalid {
	if slices.Contains(e.Properties, name) {
		return nil
	}
	bad := &setting.Invalid{
		Text: setting.Quote(name) + " is not in hubspot.access.properties, so it is not read from the contact",
		Cure: "add it there",
	}
	if bare := strings.TrimPrefix(name, contactPrefix); slices.Contains(e.Properties, bare) {
		bad.Cure = "write " + bare
	} else if near := setting.Nearest(name, e.Properties); near != "" {
		bad.Cure = "did you mean " + near + "?"
	} else if len(e.Properties) > 0 {
		bad.Cure += "; known properties: " + strings.Join(e.Properties, ", ")
	}
	return bad
}

// checkContactNames reports lists and properties of rules and tests that hubspot.access does not have. A rule that asks
// for one of them could never be met.
func (c Config) checkContactNames(env Env) []setting.Problem {
	var problems setting.Problems
	check := func(key string, bad *setting.Invalid) {
		if bad != nil {
			problems.Add(key, bad.Text, bad.Cure)
		}
	}
	for i, r := range c.Rules {
		for j, name := range r.Lists {
			check(keyOfRule(i)+".lists["+strconv.Itoa(j)+"]", env.ListMistake(name))
		}
		for _, claim := range slices.Sorted(maps.Keys(r.Claims)) {
			if name, ofContact := strings.CutPrefix(claim, contactPrefix); ofContact && name != "" {
				check(setting.Join(keyOfRule(i)+".claims", claim), env.PropertyMistake(name))
			}
		}
	}
	for i, t := range c.Tests {
		if t.As == nil {
			continue
		}
		key := keyOfTest(i) + ".as"
		for j, name := range t.As.Lists {
			check(key+".lists["+strconv.Itoa(j)+"]", env.ListMistake(name))
		}
		for _, name := range slices.Sorted(maps.Keys(t.As.Properties)) {
			check(setting.Join(key+".properties", name), env.PropertyMistake(name))
		}
	}
	return problems
}
