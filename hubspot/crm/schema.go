package crm

import (
	"errors"
	"regexp"
)

// Property is HubSpot's definition of a contact property.
type Property struct {
	Name            string `json:"name"`
	Label           string `json:"label"`
	GroupName       string `json:"groupName"`
	Type            string `json:"type"` // bool date datetime enumeration number phone_number string
	FieldType       string `json:"fieldType"`
	HasUniqueValue  bool   `json:"hasUniqueValue"`
	Calculated      bool   `json:"calculated"`
	Archived        bool   `json:"archived"`
	FormField       bool   `json:"formField"`       // public forms can set it
	ExternalOptions bool   `json:"externalOptions"` // the options are not listed, such as the users of the account
	Options         []struct {
		Label string `json:"label"`
		Value string `json:"value"`
	} `json:"options"`
	Modification struct {
		ReadOnlyValue bool `json:"readOnlyValue"`
	} `json:"modificationMetadata"`
}

// Schema is HubSpot's definitions by name. While it is nil, every value is sent as text.
type Schema map[string]Property

// parseSchema reads the response with all definitions.
func parseSchema(body []byte) (Schema, error) {
	var list struct {
		Results []Property `json:"results"`
	}
	switch err := decodeResponse(body, &list); {
	case err != nil:
		return nil, err
	case list.Results == nil:
		return nil, missingMember("results")
	case len(list.Results) == 0:
		return nil, errors.New("HubSpot's response lists no property of contacts")
	}
	s := make(Schema, len(list.Results))
	for _, p := range list.Results {
		s[p.Name] = p
	}
	return s, nil
}

// Unwritable returns why no value can be written into a property, or "".
func (s Schema) Unwritable(name string) Reason {
	p, known := s[name]
	switch {
	case s != nil && (!known || p.Archived):
		return NoSuchProperty
	case p.Calculated || p.Modification.ReadOnlyValue:
		return ReadOnly
	}
	return ""
}

var propertyForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// IsPropertyName reports whether a name can be the internal name of a property.
func IsPropertyName(name string) bool { return propertyForm.MatchString(name) }
