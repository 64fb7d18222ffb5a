package hubspot

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
)

// MappingCheck is the comparison of the mapping with HubSpot's property definitions.
type MappingCheck struct {
	Missing    []crm.NewProperty `json:"missing"`
	Unsuitable map[string]string `json:"unsuitable"` // property -> why its values cannot be written
	Doubtful   map[string]string `json:"doubtful"`   // property -> which feature will not work
	GroupThere bool              `json:"group_there"`
}

// The property group that setup creates.
const (
	groupName  = "hubgate"
	groupLabel = "Portal login"
)

// CheckMapping compares the mapping with HubSpot's property definitions.
func CheckMapping(ctx context.Context, account *crm.Account, cfg ContactsConfig) (MappingCheck, error) {
	known, err := account.Schema(ctx)
	if err != nil {
		return MappingCheck{}, err
	}
	check := MappingCheck{Missing: []crm.NewProperty{}, Unsuitable: map[string]string{}, Doubtful: map[string]string{}}
	for _, p := range known {
		check.GroupThere = check.GroupThere || p.GroupName == groupName
	}
	for _, r := range newMapping(cfg).rules {
		p, there := known[r.property]
		switch {
		case !there:
			check.Missing = append(check.Missing, r.newProperty())
		case known.Unwritable(r.property) != "":
			check.Unsuitable[r.property] = known.Unwritable(r.property)
		case r.typeMismatch(known) != "":
			check.Unsuitable[r.property] = r.typeMismatch(known)
		case r.Claim == "sub" && !p.HasUniqueValue:
			check.Doubtful[r.property] = "its values are not unique, so a changed address creates a second contact"
		}
	}
	return check, nil
}

// newProperty returns the property that a rule needs.
func (r rule) newProperty() crm.NewProperty {
	p := crm.NewProperty{Name: r.property, Label: label(r.property), Type: "string", FieldType: "text"}
	switch {
	case r.Value == valueLoginTime:
		p.Type, p.FieldType = "datetime", "date"
	case r.Value == valueLoginCount:
		p.Type, p.FieldType = "number", "number"
	case r.Claim == "sub": // finds the contact after a change of the address
		p.Unique = true
	}
	return p
}

func label(name string) string {
	text := strings.ReplaceAll(name, "_", " ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// typeMismatch returns why a property's type accepts none of a rule's values, or "".
func (r rule) typeMismatch(known crm.Schema) string {
	takes := map[string][]string{valueLoginTime: {"date", "datetime", "string"}, valueLoginCount: {"number", "string"}}
	if want, limited := takes[r.Value]; limited {
		for _, kind := range want {
			if known[r.property].Type == kind {
				return ""
			}
		}
		return fmt.Sprintf("its type is %s, but %s needs %s", known[r.property].Type, r.Value, want[0])
	}
	if r.Constant != "" {
		if _, reason := known.Convert(r.property, crm.Text(r.Constant), false); reason != "" {
			return "the constant: " + reason
		}
	}
	return ""
}

// Findings returns a finding for each property that cannot be written or does not work as configured.
func (check MappingCheck) Findings() []setting.Finding {
	var all []setting.Finding
	add := func(status, property, detail, cure string) {
		all = append(all, setting.Finding{
			Part: "hubspot properties", Status: status, Detail: detail, Cure: cure,
			Where: setting.Join("hubspot.contacts.properties", property),
		})
	}
	for _, p := range check.Missing {
		add(setting.Failed, p.Name, "HubSpot has no property "+p.Name, "run hubgate contacts setup, or remove it")
	}
	for _, name := range slices.Sorted(maps.Keys(check.Unsuitable)) {
		add(setting.Failed, name, name+": "+check.Unsuitable[name], "map to a property of your own, or remove it")
	}
	for _, name := range slices.Sorted(maps.Keys(check.Doubtful)) {
		add(setting.Warning, name, name+": "+check.Doubtful[name],
			"create a property with unique values and map to that")
	}
	return all
}

// Create creates the missing properties, and their group if it does not exist. Existing ones are left as they are, so
// that an interrupted setup can be repeated. created is called with each name.
func (check MappingCheck) Create(ctx context.Context, account *crm.Account, created func(name string)) error {
	if len(check.Missing) == 0 {
		return nil
	}
	if !check.GroupThere {
		if err := account.CreateGroup(ctx, groupName, groupLabel); err != nil {
			return err
		}
	}
	for _, p := range check.Missing {
		if err := account.CreateProperty(ctx, p, groupName, "Written by hubgate at login"); err != nil {
			return err
		}
		created(p.Name)
	}
	return nil
}
