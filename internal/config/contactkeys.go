package config

import (
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// accessSection is the section that names what rules may ask HubSpot.
const accessSection = "hubspot.access"

// otherWord returns the key that an unknown one was meant to be, and the cure, for words that people use for the lists
// and properties of contacts. The names alone do not suggest them: proxy.lists is near to proxy.tests.
func otherWord(in reflect.Type, l location, name string, value *yaml.Node) (meant, cure string) {
	property, isProperty := strings.CutPrefix(strings.ToLower(name), session.CRMClaimPrefix)
	isProperty = isProperty && !listWord(property) && !propertyWord(property)
	lists, properties := listWord(name), isProperty || propertyWord(name)
	switch in {
	case reflect.TypeFor[rules.RuleConfig]():
		if properties {
			return l.key + ".claims", "write claims: {" + contactValue(session.CRMClaimPrefix, property, value, isProperty) + "}"
		}
	case reflect.TypeFor[rules.TestAs]():
		if properties {
			return l.key + ".properties", "write properties: {" + contactValue("", property, value, isProperty) + "}"
		}
	case reflect.TypeFor[access.Config]():
		if properties {
			return l.key + ".properties", "did you mean properties?"
		}
	default:
		return misplacedAccess(name, value)
	}
	if lists {
		return l.key + ".lists", "did you mean lists?"
	}
	return "", ""
}

// listWord reports whether a key is a word for HubSpot's lists, which HubSpot also calls segments.
func listWord(name string) bool {
	return slices.Contains([]string{"list", "segment", "audience", "membership"}, bareWord(name))
}

// propertyWord reports whether a key is a word for the properties of contacts.
func propertyWord(name string) bool {
	return slices.Contains([]string{"propertie", "property", "contact", "hubspot", "crm"}, bareWord(name))
}

// bareWord returns a key in the singular, without what says that it is about HubSpot's contacts: hubspot_lists,
// hubspot.contact_lists and list_ids are all about lists.
func bareWord(name string) string {
	word := strings.NewReplacer("_", "", "-", "", ".", "", ":", "", " ", "").Replace(strings.ToLower(name))
	for _, prefix := range []string{"hubspot", "hs", "crm", "contacts", "contact"} {
		if rest, cut := strings.CutPrefix(word, prefix); cut && rest != "" && rest != "s" {
			word = rest
		}
	}
	for _, suffix := range []string{"ids", "id", "names", "name", "s"} {
		if rest, cut := strings.CutSuffix(word, suffix); cut && rest != "" {
			word = rest
		}
	}
	return word
}

// contactValue returns the entry of a mapping for a property of the contact and its values.
func contactValue(prefix, property string, value *yaml.Node, isProperty bool) string {
	if !isProperty {
		property = "member_tier"
		if value.Kind == yaml.MappingNode && len(value.Content) >= 2 {
			property, value = strings.TrimPrefix(value.Content[0].Value, session.CRMClaimPrefix), value.Content[1]
		}
	}
	var values []string
	for _, node := range append([]*yaml.Node{value}, value.Content...) {
		if node.Kind == yaml.ScalarNode && node.Value != "" && value.Kind != yaml.MappingNode {
			values = append(values, node.Value)
		}
	}
	if len(values) == 0 {
		values = []string{"gold"}
	}
	name := prefix + property
	if prefix != "" {
		name = `"` + name + `"`
	}
	return setting.Shorten(name) + ": [" + setting.Shorten(strings.Join(values, ", ")) + "]"
}

// misplacedAccess returns where a key of hubspot.access belongs that is written elsewhere.
func misplacedAccess(name string, value *yaml.Node) (meant, cure string) {
	fields := fieldsOf(reflect.TypeFor[access.Config]())
	_, known := fields[name]
	switch {
	case name == "access" && value.Kind == yaml.MappingNode, strings.EqualFold(name, accessSection):
		for i := 0; i < len(value.Content); i += 2 {
			if _, known := fields[value.Content[i].Value]; known || listWord(value.Content[i].Value) {
				return accessSection, "move the section below hubspot: it is " + accessSection
			}
		}
	case listWord(name) && value.Kind != yaml.ScalarNode:
		return accessSection + ".lists", "it belongs under hubspot.access, as hubspot.access.lists"
	case known && name != "refresh" && (name != "properties" || value.Kind == yaml.SequenceNode):
		return accessSection + "." + name, "it belongs under hubspot.access, as " + accessSection + "." + name
	}
	return "", ""
}

// nestedProperty returns the cure for a claim that is a mapping, such as hubspot: {member_tier: gold}; "" if it is not
// about the contact.
func nestedProperty(name string, value *yaml.Node) string {
	if value.Kind != yaml.MappingNode || !propertyWord(name) {
		return ""
	}
	return "write " + contactValue(session.CRMClaimPrefix, "", value, false)
}

// listsCure returns how to write lists that are not a mapping of names to ids.
func listsCure(node *yaml.Node) string {
	entry := node
	if node.Kind == yaml.SequenceNode && len(node.Content) > 0 {
		entry = node.Content[0]
	}
	name, id := "customers", "1234"
	switch {
	case entry.Kind == yaml.MappingNode && len(entry.Content) >= 2:
		name, id = entry.Content[0].Value, entry.Content[1].Value
	case entry.Kind != yaml.ScalarNode || entry.Value == "":
	case strings.Trim(entry.Value, "0123456789") == "":
		id = entry.Value
	default:
		name = entry.Value
	}
	return "write a name of your choice and the ILS id of each list: {" + setting.Shorten(name) + ": " +
		setting.Shorten(id) + "}"
}
