package fakehubspot

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Property is the definition of a contact property.
type Property struct {
	Name           string        `json:"name"`
	Label          string        `json:"label"`
	GroupName      string        `json:"groupName"`
	Type           string        `json:"type"` // bool date datetime enumeration number phone_number string
	FieldType      string        `json:"fieldType"`
	Description    string        `json:"description"`
	Options        []Option      `json:"options"`
	HasUniqueValue bool          `json:"hasUniqueValue"`
	Hidden         bool          `json:"hidden"`
	FormField      bool          `json:"formField"`
	DisplayOrder   int           `json:"displayOrder"`
	Calculated     bool          `json:"calculated"`
	HubSpotDefined bool          `json:"hubspotDefined"`
	Archived       bool          `json:"archived"`
	Modification   *Modification `json:"modificationMetadata,omitempty"`
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
		"hs_additional_emails", "hs_language",
	} {
		s.addBuiltIn(Property{Name: name, Type: "string", FieldType: "text"})
	}
	s.addBuiltIn(Property{Name: "phone", Type: "phone_number", FieldType: "phonenumber"})
	s.addBuiltIn(Property{Name: "lifecyclestage", Type: "enumeration", FieldType: "radio",
		Options: options("subscriber", "lead", "customer", "other")})
	for _, name := range []string{"hs_object_id", "createdate", "lastmodifieddate", "num_notes"} {
		s.addBuiltIn(Property{Name: name, Type: "string", FieldType: "text",
			Modification: &Modification{ReadOnlyDefinition: true, ReadOnlyValue: true}})
	}
	for _, p := range []Property{
		{Name: "portal_groups", Label: "Portal groups", Type: "string", FieldType: "text"},
		{Name: "last_portal_login", Label: "Last portal login", Type: "datetime", FieldType: "date"},
		{Name: "portal_logins", Label: "Portal logins", Type: "number", FieldType: "number"},
		{Name: "lead_source", Label: "Lead source", Type: "string", FieldType: "text"},
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

// violation is one invalid value, in the form that HubSpot embeds in messages.
type violation struct {
	IsValid bool   `json:"isValid"`
	Message string `json:"message"`
	Error   string `json:"error"`
	Name    string `json:"name"`
}

func invalid(bad []violation) *problem {
	list, _ := json.Marshal(bad)
	p := &problem{Message: "Property values were not valid: " + string(list), Category: "VALIDATION_ERROR"}
	for _, v := range bad {
		p.Errors = append(p.Errors, detail{Message: v.Message, Code: v.Error,
			Context: map[string][]string{"propertyName": {v.Name}}})
	}
	return p
}

// check returns what is wrong with the values of properties.
func (s *schema) check(properties map[string]string) []violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	var bad []violation
	for name, value := range properties {
		p, ok := s.byName[name]
		switch {
		case !ok:
			bad = append(bad, violation{Name: name, Error: "PROPERTY_DOESNT_EXIST",
				Message: fmt.Sprintf("Property %q does not exist", name)})
		case p.Calculated || p.Modification != nil && p.Modification.ReadOnlyValue:
			bad = append(bad, violation{Name: name, Error: "READ_ONLY_VALUE",
				Message: fmt.Sprintf("%q is a read only property", name)})
		case value != "":
			if code := p.fault(value); code != "" {
				bad = append(bad, violation{Name: name, Error: code,
					Message: fmt.Sprintf("%q was not valid for %s", truncate(value), name)})
			}
		}
	}
	slices.SortFunc(bad, func(a, b violation) int { return strings.Compare(a.Name, b.Name) })
	return bad
}

var (
	isoTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$`)
	isoDate = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
)

// fault returns the code of HubSpot's error for an invalid value, or "".
func (p Property) fault(value string) string {
	switch p.Type {
	case "number":
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return "INVALID_LONG"
		}
	case "bool":
		if value != "true" && value != "false" {
			return "INVALID_OPTION"
		}
	case "date":
		ms, err := strconv.ParseInt(value, 10, 64)
		if !isoDate.MatchString(value) && (err != nil || ms%86_400_000 != 0) {
			return "INVALID_DATE"
		}
	case "datetime":
		if _, err := strconv.ParseInt(value, 10, 64); !isoTime.MatchString(value) && err != nil {
			return "INVALID_DATE"
		}
	case "enumeration":
		return p.optionFault(value)
	default:
		if p.Name == "email" && !isEmail(value) {
			return "INVALID_EMAIL"
		}
		if len([]rune(value)) > 65536 {
			return "INVALID_STRING_LENGTH"
		}
	}
	return ""
}

func (p Property) optionFault(value string) string {
	values := []string{value}
	if p.FieldType == "checkbox" {
		values = strings.Split(strings.TrimPrefix(value, ";"), ";")
	}
	for _, v := range values {
		if !slices.ContainsFunc(p.Options, func(o Option) bool { return o.Value == v }) {
			return "INVALID_OPTION"
		}
	}
	return ""
}

func isEmail(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text && strings.Contains(text[strings.LastIndexByte(text, '@'):], ".")
}

func truncate(text string) string {
	if len(text) > 80 {
		return text[:80] + "..."
	}
	return text
}
