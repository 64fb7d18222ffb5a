package rules

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// Names that can be added to hubspot.access as they are.
var (
	listForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,49}$`) // digits may be an id
	propertyForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
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
	if values := joined(name); len(values) > 1 {
		bad.Cure = "write a list: [" + some(values) + "]"
	} else if near := setting.Nearest(name, names); near != "" {
		bad.Cure = "did you mean " + near + "?"
	} else if !listForm.MatchString(name) {
		bad.Cure = "add it there under a short name with the list's id, such as {customers: 1234}, and write that name"
	} else if len(names) > 0 {
		bad.Cure = "add it there with the list's id; known lists: " + some(names)
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
	if bare := strings.TrimPrefix(name, session.CRMClaimPrefix); slices.Contains(e.Properties, bare) {
		bad.Cure = "write " + bare
	} else if near := setting.Nearest(name, e.Properties); near != "" {
		bad.Cure = "did you mean " + near + "?"
	} else if !propertyForm.MatchString(name) {
		bad.Cure = "write the internal name, which HubSpot shows behind the symbol </> beside the property, here and there"
	} else if len(e.Properties) > 0 {
		bad.Cure += "; known properties: " + some(e.Properties)
	}
	return bad
}

// some returns the first names, and how many others there are: a message must stay readable with thousands of them.
func some(names []string) string {
	const most = 10
	var short []string
	for _, name := range names[:min(len(names), most)] {
		short = append(short, setting.Shorten(name))
	}
	text := strings.Join(short, ", ")
	if more := len(names) - most; more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}

// checkContactNames reports lists and properties of rules and tests that hubspot.access does not have. A rule that asks
// for one of them could never be met.
func (c Config) checkContactNames(env Env) []setting.Problem {
	var problems setting.Problems
	check := func(key string, bad *setting.Invalid, unclear bool) {
		if bad != nil && !unclear {
			problems.Add(key, bad.Text, bad.Cure)
		}
	}
	for i, r := range c.Rules {
		for j, name := range r.Lists {
			check(keyOfRule(i)+".lists["+strconv.Itoa(j)+"]", env.ListMistake(name), env.ListsUnclear)
		}
		for _, claim := range slices.Sorted(maps.Keys(r.Claims)) {
			if name, ofContact := strings.CutPrefix(claim, session.CRMClaimPrefix); ofContact && name != "" {
				check(setting.Join(keyOfRule(i)+".claims", claim), env.PropertyMistake(name), env.PropertiesUnclear)
			}
		}
	}
	for i, t := range c.Tests {
		if t.As == nil {
			continue
		}
		key := keyOfTest(i) + ".as"
		for j, name := range t.As.Lists {
			check(key+".lists["+strconv.Itoa(j)+"]", env.ListMistake(name), env.ListsUnclear)
		}
		for _, name := range slices.Sorted(maps.Keys(t.As.Properties)) {
			check(setting.Join(key+".properties", name), env.PropertyMistake(name), env.PropertiesUnclear)
		}
	}
	return problems
}
