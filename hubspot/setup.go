package hubspot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/internal/dependency"
)

// NewProperty is a mapped property that HubSpot lacks, as it would be created.
type NewProperty struct {
	Name      string `json:"name"`
	Label     string `json:"label"`
	Type      string `json:"type"`
	FieldType string `json:"field_type"`
	Unique    bool   `json:"unique"`
}

// MappingCheck is the comparison of the mapping with HubSpot's property definitions.
type MappingCheck struct {
	Missing    []NewProperty     `json:"missing"`
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
func (a *Account) CheckMapping(ctx context.Context) (MappingCheck, error) {
	body, err := a.doWithRetry(ctx, call{op: dependency.OpSchema, method: http.MethodGet, url: a.client.properties()})
	if err != nil {
		return MappingCheck{}, fmt.Errorf("hubspot: read properties: %w", err)
	}
	known, err := parseSchema(body)
	if err != nil {
		return MappingCheck{}, fmt.Errorf("hubspot: read properties: %w", err)
	}
	check := MappingCheck{Missing: []NewProperty{}, Unsuitable: map[string]string{}, Doubtful: map[string]string{}}
	for _, p := range known {
		check.GroupThere = check.GroupThere || p.GroupName == groupName
	}
	for _, r := range newMapping(a.cfg.Contacts).rules {
		p, there := known[r.property]
		switch {
		case !there:
			check.Missing = append(check.Missing, r.newProperty())
		case p.Archived || p.Calculated || p.Modification.ReadOnlyValue:
			_, check.Unsuitable[r.property] = known.convert(r.property, sourceValue{}, false)
		case r.typeMismatch(p) != "":
			check.Unsuitable[r.property] = r.typeMismatch(p)
		case r.Claim == "sub" && !p.HasUniqueValue:
			check.Doubtful[r.property] = "its values are not unique, so a changed address makes a second contact"
		}
	}
	return check, nil
}

// newProperty returns the property that a rule needs.
func (r rule) newProperty() NewProperty {
	p := NewProperty{Name: r.property, Label: label(r.property), Type: "string", FieldType: "text"}
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
func (r rule) typeMismatch(p property) string {
	takes := map[string][]string{valueLoginTime: {"date", "datetime", "string"}, valueLoginCount: {"number", "string"}}
	if want, limited := takes[r.Value]; limited {
		for _, kind := range want {
			if p.Type == kind {
				return ""
			}
		}
		return fmt.Sprintf("its type is %s, but %s needs %s", p.Type, r.Value, want[0])
	}
	if r.Constant != "" {
		constant := sourceValue{texts: []string{r.Constant}}
		if _, reason := (schema{r.property: p}).convert(r.property, constant, false); reason != "" {
			return "the constant: " + reason
		}
	}
	return ""
}

// Create creates the missing properties, and their group if it does not exist. Existing ones are left as they are, so
// that an interrupted setup can be repeated. created is called with each name.
func (a *Account) Create(ctx context.Context, check MappingCheck, created func(name string)) error {
	if len(check.Missing) == 0 {
		return nil
	}
	if !check.GroupThere {
		if err := a.post(ctx, "/groups", map[string]any{"name": groupName, "label": groupLabel}); err != nil {
			return fmt.Errorf("hubspot: create property group: %w", err)
		}
	}
	for _, p := range check.Missing {
		err := a.post(ctx, "", map[string]any{
			"name": p.Name, "label": p.Label, "groupName": groupName, "type": p.Type, "fieldType": p.FieldType,
			"hasUniqueValue": p.Unique, "description": "Written by hubgate at login",
		})
		if err != nil {
			return fmt.Errorf("hubspot: create property %s: %w", p.Name, err)
		}
		created(p.Name)
	}
	return nil
}

func (a *Account) post(ctx context.Context, rest string, body map[string]any) error {
	_, err := a.doWithRetry(ctx, call{
		op: dependency.OpSchema, method: http.MethodPost, url: a.client.properties() + rest, body: body,
	})
	var e *apiError
	if errors.As(err, &e) && e.Status == http.StatusConflict {
		return nil
	}
	return err
}

// Refused returns the status of HubSpot's error and the missing scopes that it names, or 0 if HubSpot did not answer.
func Refused(err error) (status int, scopes []string) {
	var e *apiError
	if !errors.As(err, &e) {
		return 0, nil
	}
	return e.Status, e.Scopes
}
