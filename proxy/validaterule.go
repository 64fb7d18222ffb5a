package proxy

import (
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
)

// maxName is how many characters a rule's name may have.
const maxName = 100

func (r RuleConfig) validate(i int) []setting.Problem {
	key := ruleKey(i)
	var problems []setting.Problem
	bad := func(sub, text, cure string) {
		problems = append(problems, setting.Problem{Key: key + sub, Text: text, Cure: cure})
	}
	if len(r.Path) == 0 {
		bad(".path", "a rule needs a path", "write path: /members/**")
	}
	if r.Access != "" {
		problems = append(problems, oneOf(key+".access", r.Access, "login", "public")...)
	}
	if r.Access == "public" && (len(r.Groups) > 0 || len(r.Claims) > 0 || r.MaxAuthAge > 0) {
		bad(".access", "a public page asks nobody who they are, so groups, claims and max_auth_age have no effect", "remove them, or access: public")
	}
	for _, list := range []struct {
		key  string
		list []string
	}{{".groups", r.Groups}, {".hosts", r.Hosts}, {".methods", r.Methods}} {
		if list.list != nil && len(list.list) == 0 {
			bad(list.key, "an empty list admits nobody or nothing", "name at least one, or remove the key")
		}
		for j, word := range list.list {
			if strings.TrimSpace(word) != word || word == "" {
				bad(list.key+"["+itoa(j)+"]", quote(word)+" is empty or has spaces around it", "write the word alone")
			}
		}
	}
	if r.Claims != nil && len(r.Claims) == 0 {
		bad(".claims", "an empty mapping asks for nothing", "name at least one claim, or remove the key")
	}
	for _, name := range sortedKeys(r.Claims) {
		if strings.TrimSpace(name) == "" {
			bad(setting.Join(".claims", name), "a claim without a name never matches", "write the name of a claim")
		}
		if len(r.Claims[name]) == 0 {
			bad(setting.Join(".claims", name), "an empty list admits nobody", "list the values that are admitted")
		}
	}
	for j, host := range r.Hosts {
		if strings.TrimSpace(host) == host && host != "" {
			problems = append(problems, validateHost(key+".hosts["+itoa(j)+"]", host)...)
		}
	}
	if r.Name == "default" || strings.HasPrefix(r.Name, "hubspot:") || strings.HasPrefix(r.Name, "_") {
		bad(".name", quote(r.Name)+" is a name of the gateway's own", "choose another: it is a metric label and a word in the log")
	}
	if n := utf8.RuneCountInString(r.Name); strings.TrimSpace(r.Name) != r.Name || n > maxName || strings.ContainsFunc(r.Name, func(c rune) bool { return !unicode.IsPrint(c) }) {
		bad(".name", quote(r.Name)+" is no name: it is a metric label and a word in the log", "write a short word such as board")
	}
	return append(problems, validateMethods(key, r.Methods)...)
}

func validateMethods(key string, methods []string) []setting.Problem {
	var problems []setting.Problem
	for i, m := range methods {
		if m != "" && !slices.Contains(knownMethods, m) {
			cure := "write one of: " + allKnownMethods
			if slices.Contains(knownMethods, strings.ToUpper(m)) {
				cure = "write " + strings.ToUpper(m) + ": methods are upper case"
			}
			problems = append(problems, setting.Problem{Key: key + ".methods[" + itoa(i) + "]", Text: quote(m) + " is not a method the gateway passes on", Cure: cure})
		}
	}
	return problems
}

func (t TestConfig) validate(key string) []setting.Problem {
	var problems []setting.Problem
	switch {
	case t.URL == "":
		problems = append(problems, setting.Problem{Key: key + ".url", Text: "it is required", Cure: "write a path such as /members/a, or a URL of a public host"})
	case t.URL[0] != '/' && !strings.Contains(t.URL, "://"):
		problems = append(problems, setting.Problem{Key: key + ".url", Text: quote(t.URL) + " is neither a path nor a URL", Cure: "write " + quote("/"+strings.TrimSpace(t.URL)) + ", or a URL of a public host"})
	}
	return append(problems, oneOf(key+".expect", t.Expect, "public", "allow", "login", "forbid", "refuse")...)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
