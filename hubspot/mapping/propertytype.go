package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// Groups are the groups of visitors that a configuration names. They become the options of the property that the claim
// with the groups is mapped to.
type Groups struct {
	Claim string
	Names []string
}

// options returns the groups that can be options of a property: HubSpot separates several options with ";".
func (g Groups) options() (names, unusable []string) {
	for _, name := range g.Names {
		if strings.Contains(name, ";") {
			unusable = append(unusable, name)
		} else {
			names = append(names, name)
		}
	}
	return names, unusable
}

// newProperty returns the property that a rule needs. The types of claims are those of OpenID Connect Core 1.0, 5.1;
// an unknown claim is text.
func (r rule) newProperty(groups Groups) crm.NewProperty {
	p := crm.NewProperty{Name: r.property, Label: label(r.property), Type: "string", FieldType: "text"}
	options, _ := groups.options()
	switch {
	case r.Value == ValueLoginTime || isTimeClaim(r.Claim):
		p.Type, p.FieldType = "datetime", "date"
	case r.Value == ValueLoginCount:
		p.Type, p.FieldType = "number", "number"
	case r.Claim == "birthdate":
		p.Type, p.FieldType = "date", "date"
	case strings.HasSuffix(r.Claim, "_verified"):
		p.Type, p.FieldType = "bool", "booleancheckbox"
		p.Options = []crm.NewOption{{Label: "Yes", Value: "true"}, {Label: "No", Value: "false"}}
	case r.Claim == "phone_number":
		p.FieldType = "phonenumber"
	case r.isGroups(groups) && len(options) > 0:
		p.Type, p.FieldType = "enumeration", "checkbox"
		for _, name := range options {
			p.Options = append(p.Options, crm.NewOption{Label: name, Value: name})
		}
	case r.Claim == "sub": // finds the contact after a change of the address
		p.Unique = true
	}
	return p
}

func (r rule) isGroups(groups Groups) bool { return r.Claim != "" && r.Claim == groups.Claim }

// isTimeClaim reports whether a claim is a time in seconds since 1970.
func isTimeClaim(claim string) bool {
	return slices.Contains([]string{"updated_at", "auth_time", "iat", "exp"}, claim)
}

// isTextClaim reports whether a claim is never a number, a date or a boolean.
func isTextClaim(claim string) bool {
	return slices.Contains([]string{
		"sub", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "cognito:username",
		"email", "phone_number", "gender", "locale", "zoneinfo", "picture", "profile", "website",
	}, claim)
}

func label(name string) string {
	text := strings.ReplaceAll(name, "_", " ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// unsuitable returns why a property accepts none of the rule's values, and the cure, or "".
func (r rule) unsuitable(known crm.Schema, groups Groups) (reason, cure string) {
	if reason := known.Unwritable(r.property); reason != "" {
		return reason.Sentence(), "map to a property of your own, or remove it"
	}
	if need := r.typeMismatch(known[r.property], groups); need != "" {
		return fmt.Sprintf("its type is %s, but %s needs %s", known[r.property].Type, r.Claim+r.Value, need),
			"map to a property of the type " + need + ", or remove it"
	}
	return r.constantMismatch(known)
}

// typeMismatch returns the type that a rule needs if a property of another type accepts none of its values, or "".
func (r rule) typeMismatch(p crm.Property, groups Groups) (need string) {
	need = r.newProperty(groups).Type
	var suitable []string
	switch {
	case r.isGroups(groups):
		need, suitable = "enumeration", []string{"enumeration", "string"}
	case need == "date":
		suitable = []string{"date", "datetime", "string"}
	case need == "datetime":
		suitable = []string{"datetime", "date", "string"}
		if isTimeClaim(r.Claim) {
			suitable = append(suitable, "number")
		}
	case need == "number":
		suitable = []string{"number", "string"}
	case need == "bool":
		suitable = []string{"bool", "enumeration", "string"}
	case r.Value != "" || isTextClaim(r.Claim):
		suitable = []string{"string", "phone_number", "enumeration"}
	default: // the values of a custom claim are not known
		return ""
	}
	if slices.Contains(suitable, p.Type) {
		return ""
	}
	return need
}

// constantMismatch returns why a property does not accept the rule's constant, and the cure, or "".
func (r rule) constantMismatch(known crm.Schema) (reason, cure string) {
	if r.Constant == "" {
		return "", ""
	}
	_, drop := known.Convert(r.property, crm.Text(r.Constant), false)
	switch {
	case drop.Reason == "":
		return "", ""
	case drop.Reason == crm.NotAnOption:
		return drop.Text(), "write one of the options, or add the option in HubSpot"
	}
	return drop.Text(), "write a constant of the type " + known[r.property].Type
}

// doubtful returns what will not work with the rule's property, which may not exist yet, and the cure, or "".
func (r rule) doubtful(p crm.Property, exists bool, groups Groups) (reason, cure string) {
	names, unusable := groups.options()
	holdsOptions := !exists || p.Type == "enumeration"
	switch lacking := p.WithoutOption(names); {
	case r.Claim == "sub" && exists && !p.HasUniqueValue:
		return "its values are not unique, so a changed address creates a second contact",
			"create a property with unique values and map to that"
	case !r.isGroups(groups) || !holdsOptions:
		return "", ""
	case len(unusable) > 0:
		return quoted(unusable) + ` cannot be an option, because ";" separates options`, "rename the group"
	case exists && len(lacking) > 0:
		return "has no option for " + quoted(lacking) + ", so people in these groups get it without them",
			"add the options in HubSpot under Settings > Properties; their internal names are the groups"
	case exists && p.FieldType != "checkbox":
		return "holds one option, so only one group of a person is written",
			"change its field type to multiple checkboxes in HubSpot"
	}
	return "", ""
}

func quoted(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	return strings.Join(quoted, ", ")
}
