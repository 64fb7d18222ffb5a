package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// crossContact warns about claims of rules that probably mean a property of the contact, and about what hubspot.access
// reads for no rule.
func crossContact(c *Config) []setting.Problem {
	var problems setting.Problems
	asked := c.askedOfHubSpot()
	for i, r := range c.Proxy.Rules {
		for _, claim := range slices.Sorted(maps.Keys(r.Claims)) {
			property := c.meantProperty(claim)
			if property == "" {
				continue
			}
			asked[property] = true
			key := setting.Join(fmt.Sprintf("proxy.rules[%d].claims", i), claim)
			problems.Warn(key, setting.Quote(claim)+" is a claim of the login provider",
				"write hubspot."+property+" for the property of the contact")
		}
	}
	for i, name := range c.HubSpot.Access.Properties {
		if !asked[name] {
			problems.Warn(fmt.Sprintf("%s.properties[%d]", accessSection, i), "no rule asks for "+setting.Quote(name),
				fmt.Sprintf(`write claims: {"hubspot.%s": [...]} in a rule, or remove it`, setting.Shorten(name)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.HubSpot.Access.Lists)) {
		if !asked["lists."+name] {
			problems.Warn(setting.Join(accessSection+".lists", name), "no rule asks for this list",
				"write lists: ["+setting.Shorten(name)+"] in a rule, or remove it")
		}
	}
	return problems
}

// askedOfHubSpot returns the properties, and as lists.NAME the lists, that rules ask for.
func (c *Config) askedOfHubSpot() map[string]bool {
	asked := map[string]bool{}
	for _, r := range c.Proxy.Rules {
		for _, name := range r.Lists {
			asked["lists."+name] = true
		}
		for claim := range r.Claims {
			if property, ofContact := rules.ContactProperty(claim); ofContact {
				asked[property] = true
			}
		}
	}
	return asked
}

// meantProperty returns the property of the contact that a claim of the provider probably means: it has the same name,
// in any spelling, or begins with another spelling of "hubspot.". It returns "" for claims that the configuration uses
// elsewhere, which the provider therefore has, and for claims that the rules report as errors.
func (c *Config) meantProperty(claim string) string {
	if _, reserved := rules.ContactProperty(claim); reserved || claim == c.Auth.GroupsClaim {
		return ""
	}
	for _, p := range c.HubSpot.Contacts.Properties {
		if p.Claim == claim {
			return ""
		}
	}
	known := c.HubSpot.Access.Properties
	word := compact(claim)
	for _, name := range known {
		prefix, ends := strings.CutSuffix(word, compact(name))
		if ends && (prefix == "" || contactPrefix(prefix)) {
			return name
		}
	}
	i := strings.IndexFunc(claim, func(r rune) bool { return !unicode.IsLetter(r) })
	if i < 0 || compact(claim[:i]) != "hubspot" {
		return ""
	}
	property := strings.Trim(strings.ToLower(claim[i:]), "._-:/ ")
	if near := setting.Nearest(property, known); near != "" {
		return near
	}
	return property
}

// contactPrefix reports whether letters before the name of a property say that it is one of HubSpot's contact.
func contactPrefix(word string) bool {
	switch word {
	case "hs", "crm", "hubspotcontact", "hubspotcontacts", "hubspotcrm", "hubspotproperty", "hubspotproperties",
		"contactproperty", "contactproperties", "property", "properties":
		return true
	}
	return setting.Nearest(word, []string{"hubspot", "contact", "contacts"}) != ""
}

// compact returns the letters and digits of a name, in lower case.
func compact(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}
