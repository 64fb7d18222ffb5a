package rules

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
)

// maxName is how many characters a rule's name may have.
const maxName = 100

// validate checks the rule at an index of proxy.rules, except its patterns.
func (r RuleConfig) validate(i int) []setting.Problem {
	var problems []setting.Problem
	for _, k := range ruleKeys {
		if k.validate != nil {
			problems = append(problems, k.validate(keyOfRule(i)+"."+k.Name, r)...)
		}
	}
	return append(problems, r.validatePublic(keyOfRule(i)+".access")...)
}

// keyOfRule returns the key of the rule at an index of proxy.rules.
func keyOfRule(i int) string { return "proxy.rules[" + strconv.Itoa(i) + "]" }

// validatePublic rejects requirements of users in a rule that does not ask for a login.
func (r RuleConfig) validatePublic(key string) []setting.Problem {
	if r.Access != "public" {
		return nil
	}
	var unused []string
	for _, k := range ruleKeys {
		if k.require != nil && !k.anonymous && k.require(r, Env{}) != nil {
			unused = append(unused, k.Name)
		}
	}
	if len(unused) == 0 {
		return nil
	}
	return setting.Mistake(key, "a public page needs no login, so these keys have no effect: "+strings.Join(unused, ", "),
		"remove them, or remove access")
}

func validatePath(key string, r RuleConfig) []setting.Problem {
	if len(r.Path) > 0 {
		return nil
	}
	return setting.Mistake(key, "required", "write path: /members/**")
}

// validateAccess adds a hint for operators who write the name of a group.
func validateAccess(key string, r RuleConfig) []setting.Problem {
	if r.Access == "" {
		return nil
	}
	problems := setting.CheckWord(key, r.Access, "login", "public")
	if len(problems) > 0 && setting.Nearest(r.Access, []string{"login", "public"}) == "" {
		problems[0].Cure += "; for a group write groups: [" + setting.Shorten(r.Access) + "]"
	}
	return problems
}

func validateName(key string, r RuleConfig) []setting.Problem {
	if r.Name == "default" || strings.HasPrefix(r.Name, "hubspot:") || strings.HasPrefix(r.Name, "_") {
		return setting.Mistake(key, setting.Quote(r.Name)+" is a reserved name", "write another name")
	}
	if strings.TrimSpace(r.Name) != r.Name || utf8.RuneCountInString(r.Name) > maxName ||
		strings.ContainsFunc(r.Name, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return setting.Mistake(key, setting.Quote(r.Name)+" is not a valid name: it is a metric label and a word in the log",
			"write a short word such as board")
	}
	return nil
}

func validateHosts(key string, r RuleConfig) []setting.Problem {
	problems := validateWords(key, r.Hosts)
	for i, host := range r.Hosts {
		if strings.TrimSpace(host) == host && host != "" {
			problems = append(problems, setting.CheckHost(key+"["+strconv.Itoa(i)+"]", host)...)
		}
	}
	return problems
}

func validateGroups(key string, r RuleConfig) []setting.Problem { return validateWords(key, r.Groups) }

func validateClaims(key string, r RuleConfig) []setting.Problem {
	if r.Claims != nil && len(r.Claims) == 0 {
		return setting.Mistake(key, "the mapping is empty", "write at least one claim, or remove the key")
	}
	var problems []setting.Problem
	for _, name := range slices.Sorted(maps.Keys(r.Claims)) {
		at := setting.Join(key, name)
		if strings.TrimSpace(name) == "" {
			problems = append(problems,
				setting.Mistake(at, "a claim without a name never matches", "write the name of a claim")...)
		}
		switch values := r.Claims[name]; {
		case values == nil: // {tier: gold, silver} is a claim silver without values
			problems = append(problems, setting.Mistake(at, "a claim without values admits nobody",
				"write the values that the rule admits; several values of one claim are a list: {tier: [gold, silver]}")...)
		case len(values) == 0:
			problems = append(problems,
				setting.Mistake(at, "an empty list admits nobody", "write the values that the rule admits")...)
		}
		problems = append(problems, validateContactClaim(at, name, r.Claims[name])...)
	}
	return problems
}

func validateMethods(key string, r RuleConfig) []setting.Problem {
	problems := validateWords(key, r.Methods)
	for i, m := range r.Methods {
		if m == "" || slices.Contains(knownMethods, m) {
			continue
		}
		cure := "write one of: " + allKnownMethods
		if slices.Contains(knownMethods, strings.ToUpper(m)) {
			cure = "write " + strings.ToUpper(m) + " in upper case"
		}
		problems = append(problems, setting.Mistake(key+"["+strconv.Itoa(i)+"]",
			setting.Quote(m)+" is not a method that the gateway forwards", cure)...)
	}
	return problems
}

// validateWords rejects a list that was given and is empty, and entries with space around them.
func validateWords(key string, list []string) []setting.Problem {
	if list != nil && len(list) == 0 {
		return setting.Mistake(key, "an empty list admits nobody", "write at least one entry, or remove the key")
	}
	var problems []setting.Problem
	for i, word := range list {
		if strings.TrimSpace(word) != word || word == "" {
			problems = append(problems, setting.Mistake(key+"["+strconv.Itoa(i)+"]",
				setting.Quote(word)+" is empty or has spaces around it", "remove the spaces or the entry")...)
		}
	}
	return problems
}

func (t TestConfig) validate(key string) []setting.Problem {
	var problems []setting.Problem
	switch {
	case t.URL == "":
		problems = setting.Mistake(key+".url", "required", "write a path such as /members/a, or a URL of a public host")
	case t.URL[0] != '/' && !strings.Contains(t.URL, "://"):
		problems = setting.Mistake(key+".url", setting.Quote(t.URL)+" is neither a path nor a URL",
			"write "+setting.Quote("/"+strings.TrimSpace(t.URL))+", or a URL of a public host")
	}
	if t.As != nil {
		for _, name := range slices.Sorted(maps.Keys(t.As.Claims)) {
			if _, reserved := ContactProperty(name); reserved {
				problems = append(problems, setting.Mistake(setting.Join(key+".as.claims", name),
					"claims of the provider with this name are ignored",
					"write as: {properties: {member_tier: gold}} for a property of the contact")...)
			}
		}
	}
	return append(problems,
		setting.CheckWord(key+".expect", t.Expect, "public", "allow", "login", "forbid", "refuse")...)
}
