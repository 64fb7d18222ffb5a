package crm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hubgate/hubgate/internal/dependency"
)

// NewProperty is a property to be created.
type NewProperty struct {
	Name      string `json:"name"`
	Label     string `json:"label"`
	Type      string `json:"type"`
	FieldType string `json:"field_type"`
	Unique    bool   `json:"unique"`
	// Options are those of an enumeration or a boolean.
	Options []NewOption `json:"options,omitempty"`
}

// NewOption is an option of a property to be created. HubSpot stores its value and shows its label.
type NewOption struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// WithoutOption returns the values for which an enumeration has no option.
func (p Property) WithoutOption(values []string) (missing []string) {
	for _, v := range values {
		if _, found := p.matchOption(v); !found {
			missing = append(missing, v)
		}
	}
	return missing
}

// Schema reads the definitions of all contact properties.
func (a *Account) Schema(ctx context.Context) (Schema, error) {
	body, err := a.doWithRetry(ctx, call{op: dependency.OpSchema, method: http.MethodGet, url: a.client.properties()})
	if err != nil {
		return nil, fmt.Errorf("hubspot: read properties: %w", err)
	}
	known, err := parseSchema(body)
	if err != nil {
		return nil, fmt.Errorf("hubspot: read properties: %w", err)
	}
	return known, nil
}

// CreateGroup creates a property group. An existing one is left as it is.
func (a *Account) CreateGroup(ctx context.Context, name, label string) error {
	err := a.create(ctx, "/groups", map[string]any{"name": name, "label": label})
	if err != nil && !isConflict(err) {
		return fmt.Errorf("hubspot: create property group: %w", err)
	}
	return nil
}

// CreateProperty creates a property in a group. An existing one is left as it is; an archived one is an error, because
// no value could be written.
func (a *Account) CreateProperty(ctx context.Context, p NewProperty, group, description string) error {
	body := map[string]any{
		"name": p.Name, "label": p.Label, "groupName": group, "type": p.Type, "fieldType": p.FieldType,
		"hasUniqueValue": p.Unique, "description": description,
		"formField": false, // only forms that hold it on purpose may set what a login writes
	}
	if len(p.Options) > 0 {
		options := make([]map[string]any, len(p.Options))
		for i, o := range p.Options {
			options[i] = map[string]any{"label": o.Label, "value": o.Value, "displayOrder": i, "hidden": false}
		}
		body["options"] = options
	}
	err := a.create(ctx, "", body)
	if isConflict(err) {
		err = a.exists(ctx, p.Name)
	}
	if err != nil {
		return fmt.Errorf("hubspot: create property %s: %w", p.Name, err)
	}
	return nil
}

// exists returns an error if HubSpot does not show a property, although it refuses to create one of this name.
func (a *Account) exists(ctx context.Context, name string) error {
	_, err := a.doWithRetry(ctx, call{
		op: dependency.OpSchema, method: http.MethodGet, url: a.client.properties() + "/" + url.PathEscape(name),
	})
	if status, _ := Refused(err); status == http.StatusNotFound {
		return ErrArchived
	}
	return err
}

// ErrArchived means that a property cannot be created, because an archived one has its name.
var ErrArchived = errors.New("HubSpot has an archived property of this name; restore it under Settings > Properties")

func (a *Account) create(ctx context.Context, rest string, body map[string]any) error {
	_, err := a.doWithRetry(ctx, call{
		op: dependency.OpSchema, method: http.MethodPost, url: a.client.properties() + rest, body: body,
	})
	return err
}

func isConflict(err error) bool {
	status, _ := Refused(err)
	return status == http.StatusConflict
}
