package fakehubspot

import (
	"slices"
	"strings"
	"sync"
)

// Property is the definition of a contact property.
type Property struct {
	Name           string   `json:"name"`
	Label          string   `json:"label"`
	GroupName      string   `json:"groupName"`
	Type           string   `json:"type"` // bool date datetime enumeration number phone_number string
	FieldType      string   `json:"fieldType"`
	Description    string   `json:"description"`
	Options        []Option `json:"options"`
	HasUniqueValue bool     `json:"hasUniqueValue"`
	Hidden         bool     `json:"hidden"`
	FormField      bool     `json:"formField"`
	DisplayOrder   int      `json:"displayOrder"`
	Calculated     bool     `json:"calculated"`
	HubSpotDefined bool     `json:"hubspotDefined"`
	Archived       bool     `json:"archived"`
	// ExternalOptions means that the values are ids of records elsewhere, such as owners, and Options is empty.
	ExternalOptions bool          `json:"externalOptions"`
	Modification    *Modification `json:"modificationMetadata,omitempty"`
	// Required means that a contact cannot be created without the property.
	Required bool `json:"-"`
	// Refuses is a text that a rule of the account forbids in values; "" = there is no rule.
	Refuses string `json:"-"`
}

// Option is one option of an enumeration.
type Option struct {
	Label        string `json:"label"`
	Value        string `json:"value"`
	DisplayOrder int    `json:"displayOrder"`
	Hidden       bool   `json:"hidden"`
	Description  string `json:"description,omitempty"`
}

// Modification describes what may be changed in a property.
type Modification struct {
	Archivable         bool `json:"archivable"`
	ReadOnlyDefinition bool `json:"readOnlyDefinition"`
	ReadOnlyValue      bool `json:"readOnlyValue"`
}

type group struct {
	Name         string `json:"name"`
	Label        string `json:"label"`
	DisplayOrder int    `json:"displayOrder"`
	Archived     bool   `json:"archived"`
}

// schema holds the account's property definitions and groups, and serves the calls for them.
type schema struct {
	mu     sync.Mutex
	byName map[string]Property
	groups map[string]group
}

func newSchema() *schema {
	s := &schema{byName: map[string]Property{}, groups: map[string]group{
		"contactinformation": {Name: "contactinformation", Label: "Contact information"},
		"portal":             {Name: "portal", Label: "Portal"},
	}}
	for _, name := range []string{
		"email", "firstname", "lastname", "company", "jobtitle", "city", "country", "website",
	} {
		s.addBuiltIn(Property{Name: name, Type: "string", FieldType: "text", FormField: true})
	}
	for _, name := range []string{"hs_additional_emails", "hs_language"} {
		s.addBuiltIn(Property{Name: name, Type: "string", FieldType: "text"})
	}
	s.addBuiltIn(Property{Name: "phone", Type: "phone_number", FieldType: "phonenumber", FormField: true})
	s.addBuiltIn(Property{Name: "lifecyclestage", Type: "enumeration", FieldType: "radio", FormField: true,
		Options: options("subscriber", "lead", "customer", "other")})
	s.addBuiltIn(Property{Name: "hubspot_owner_id", Type: "enumeration", FieldType: "select", ExternalOptions: true})
	s.addBuiltIn(Property{Name: "hs_buying_role", Type: "enumeration", FieldType: "checkbox",
		Options:      options("BUDGET_HOLDER", "CHAMPION", "DECISION_MAKER", "END_USER"),
		Modification: &Modification{ReadOnlyDefinition: true}})
	s.addBuiltIn(Property{Name: "associatedcompanyid", Type: "number", FieldType: "number",
		Modification: &Modification{ReadOnlyDefinition: true}})
	for _, name := range []string{"hs_object_id", "createdate", "lastmodifieddate", "num_notes"} {
		s.addBuiltIn(Property{Name: name, Type: "string", FieldType: "text",
			Modification: &Modification{ReadOnlyDefinition: true, ReadOnlyValue: true}})
	}
	for _, p := range []Property{
		{Name: "portal_groups", Label: "Portal groups", Type: "string", FieldType: "text"},
		{Name: "last_portal_login", Label: "Last portal login", Type: "datetime", FieldType: "date"},
		{Name: "portal_logins", Label: "Portal logins", Type: "number", FieldType: "number"},
		{Name: "lead_source", Label: "Lead source", Type: "string", FieldType: "text"},
		{Name: "member_tier", Label: "Member tier", Type: "enumeration", FieldType: "select",
			Options: options("basic", "gold")},
		{Name: "interests", Label: "Interests", Type: "enumeration", FieldType: "checkbox", FormField: true,
			Options: options("products", "events")},
		{Name: "cognito_sub", Label: "Cognito sub", Type: "string", FieldType: "text", HasUniqueValue: true},
	} {
		p.GroupName = "portal"
		s.byName[p.Name] = p
	}
	return s
}

func (s *schema) addBuiltIn(p Property) {
	p.Label, p.GroupName, p.HubSpotDefined = p.Name, "contactinformation", true
	s.byName[p.Name] = p
}

func options(values ...string) []Option {
	list := make([]Option, len(values))
	for i, v := range values {
		list[i] = Option{Label: strings.ToUpper(v[:1]) + v[1:], Value: v, DisplayOrder: i}
	}
	return list
}

// Define adds or replaces a property, as an administrator of the account would.
func (s *Server) Define(p Property) {
	s.schema.mu.Lock()
	defer s.schema.mu.Unlock()
	s.schema.byName[p.Name] = p
}

// property returns the definition of a property.
func (s *schema) property(name string) (Property, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, found := s.byName[name]
	return p, found
}

// unset returns the properties that a new contact needs and that are not in properties.
func (s *schema) unset(properties map[string]string) (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, p := range s.byName {
		if p.Required && properties[name] == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
