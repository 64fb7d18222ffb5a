package rules

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// ContactProperty returns the property that the claim of a rule names, in lower case, and whether the claim is reserved
// for properties of the contact, in any spelling, or looks like such a one.
func ContactProperty(claim string) (property string, reserved bool) {
	claim = plain(claim)
	_, property, _ = strings.Cut(claim, ".")
	return strings.ToLower(property), session.IsCRMClaim(claim)
}

// plain returns a name as a person reads it: without invisible characters and spaces around it, and with ASCII
// characters instead of their variants, such as full-width ones.
func plain(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsPrint(r) ||
			unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return -1
		}
		return r
	}, norm.NFKC.String(name)))
}

// validateContactClaim checks the name and the values of a rule's claim, if it is a property of the contact.
func validateContactClaim(key, name string, values []string) []setting.Problem {
	property, reserved := ContactProperty(name)
	switch {
	case !reserved:
		return nil
	case slices.Contains([]string{"list", "lists", "segment", "segments"}, property):
		return setting.Mistake(key, "lists are a key of the rule, not a claim",
			"write lists: ["+some(values)+"] in the rule")
	case property == "":
		return setting.Mistake(key, "names no property of the contact",
			"write hubspot. and the name of a property, such as hubspot.member_tier")
	case !session.IsCRMClaim(strings.TrimSpace(name)):
		return setting.Mistake(key, setting.Quote(name)+" only looks like a property of the contact: it contains invisible "+
			"characters or variants of letters", "write "+session.CRMClaimPrefix+setting.Shorten(property)+" with plain letters")
	case !strings.HasPrefix(name, session.CRMClaimPrefix):
		return setting.Mistake(key, "claims of the provider with this name are ignored; a property of the contact is "+
			"spelled in lower case", "write "+session.CRMClaimPrefix+setting.Shorten(property))
	}
	var problems []setting.Problem
	for i, value := range values {
		at := key + "[" + strconv.Itoa(i) + "]"
		switch {
		case len(session.PropertyValues(value)) == 0:
			problems = append(problems, setting.Mistake(at, "an empty value never matches: a property without a value has none",
				"write the values that the rule admits")...)
		case strings.Contains(value, ";"):
			problems = append(problems, setting.Mistake(at, setting.Quote(value)+
				" never matches: the values of a property are compared one by one", "write a list: ["+
				some(session.PropertyValues(value))+"]")...)
		case strings.TrimSpace(value) != value:
			problems = append(problems, setting.Problem{
				Key: at, Text: setting.Quote(value) + " has spaces around it, which the value in HubSpot must have too",
				Cure: "remove the spaces, unless the value has them in HubSpot", Warning: true,
			})
		case len(joined(value)) > 1:
			problems = append(problems, setting.Problem{
				Key: at, Text: setting.Quote(value) + " is one value, not several", Warning: true,
				Cure: "if these are several values, write a list: [" + some(joined(value)) + "]",
			})
		}
	}
	return problems
}

// joined returns the words of a text in which people join several values with a separator.
func joined(text string) []string {
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ';' || c == '|' })
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	return slices.DeleteFunc(words, func(word string) bool { return word == "" })
}

func validateLists(key string, r RuleConfig) []setting.Problem {
	problems := validateWords(key, r.Lists)
	for i, name := range r.Lists {
		if slices.Contains(r.Lists[:i], name) {
			problems = append(problems, setting.Problem{
				Key: key + "[" + strconv.Itoa(i) + "]", Text: setting.Quote(name) + " is named twice",
				Cure: "remove one of them, or write the list that is meant", Warning: true,
			})
		}
	}
	return problems
}
