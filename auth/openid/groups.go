package openid

import (
	"encoding/json"
	"maps"
	"net/url"
	"strings"
)

// GroupsIn returns a user's groups from the claim groups_claim, which holds a list or one name. GroupsClaim may be a
// path, such as realm_access.roles of Keycloak, if no claim has exactly that name.
func (c Config) GroupsIn(claims map[string]any) []string {
	switch v := c.split(claimAt(claims, c.GroupsClaim)).(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case []any:
		var groups []string
		for _, g := range v {
			if s, ok := g.(string); ok && s != "" {
				groups = append(groups, s)
			}
		}
		return groups
	}
	return nil
}

// unusableGroups describes the type of a claim that cannot hold groups, without its value. It returns "" for a valid
// claim.
func unusableGroups(claim any) string {
	list, isList := claim.([]any)
	if !isList {
		return unusableType(claim)
	}
	for _, element := range list {
		if kind := unusableType(element); kind != "" {
			return "a list with " + kind + " in it"
		}
	}
	return ""
}

func unusableType(v any) string {
	switch v.(type) {
	case nil, string:
		return ""
	case bool:
		return "a boolean"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return "a number"
}

// claimAt returns the claim of a name, or otherwise the one at a path of names joined by dots.
func claimAt(claims map[string]any, name string) any {
	if v, ok := claims[name]; ok {
		return v
	}
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		if inner, ok := claims[name[:i]].(map[string]any); ok {
			if v := claimAt(inner, name[i+1:]); v != nil {
				return v
			}
		}
	}
	return nil
}

// SplitClaims splits claims that hold several values in one string into lists: groups_claim, and Cognito's custom
// attributes, to which SAML attributes are mapped. Other claims, such as a name in brackets, do not change.
//
// Splitting grants no extra access: users who can write [gold] into an attribute can write gold as well.
func (c Config) SplitClaims(claims map[string]any) map[string]any {
	split := maps.Clone(claims)
	for name, v := range claims {
		if name == c.GroupsClaim || c.Cognito() && strings.HasPrefix(name, "custom:") {
			split[name] = c.split(v)
		}
	}
	return split
}

// split returns the list in a string: [staff, partner], as Cognito writes an attribute with several values, or a JSON
// array of strings. A string without brackets is one value, because group names may contain spaces and commas.
func (c Config) split(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	text = strings.TrimSpace(text)
	if len(text) < 2 || text[0] != '[' || text[len(text)-1] != ']' {
		return v
	}
	list := []any{}
	var elements []string
	if json.Unmarshal([]byte(text), &elements) != nil {
		for element := range strings.SplitSeq(text[1:len(text)-1], ",") {
			elements = append(elements, c.decodeElement(element))
		}
	}
	for _, element := range elements {
		if element = strings.TrimSpace(element); element != "" {
			list = append(list, element)
		}
	}
	return list
}

// decodeElement reverses Cognito's form encoding of the values in such a list.
func (c Config) decodeElement(element string) string {
	element = strings.TrimSpace(element)
	if c.Cognito() && strings.Contains(element, "%") {
		if decoded, err := url.QueryUnescape(element); err == nil {
			return decoded
		}
	}
	return element
}
