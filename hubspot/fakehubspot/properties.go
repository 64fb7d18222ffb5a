package fakehubspot

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

func (s *schema) listProperties(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	listed := maps.Clone(s.byName)
	maps.DeleteFunc(listed, func(_ string, p Property) bool { return p.Archived })
	writeResults(w, listed)
}

// writeResults responds with the values of a map, in the order of their names.
func writeResults[V any](w http.ResponseWriter, byName map[string]V) {
	list := make([]V, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list = append(list, byName[name])
	}
	writeJSON(w, http.StatusOK, map[string]any{"results": list})
}

func (s *schema) readProperty(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.byName[r.PathValue("name")]
	if !ok {
		writeError(w, http.StatusNotFound, problem{Message: "Property does not exist", Category: "OBJECT_NOT_FOUND"})
		return
	}
	writeJSON(w, http.StatusOK, p)
}

var propertyName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// fieldTypes are the valid field types of each type.
var fieldTypes = map[string][]string{
	"bool": {"booleancheckbox"}, "date": {"date"}, "datetime": {"date"}, "number": {"number"},
	"phone_number": {"phonenumber"},
	"enumeration":  {"checkbox", "radio", "select", "booleancheckbox"},
	"string":       {"text", "textarea", "html", "file", "phonenumber"},
}

// newProperty is the body that creates a property. Pointers are members that the API description requires.
type newProperty struct {
	Name               *string      `json:"name"`
	Label              *string      `json:"label"`
	GroupName          *string      `json:"groupName"`
	Type               *string      `json:"type"`
	FieldType          *string      `json:"fieldType"`
	Description        string       `json:"description"`
	Options            *[]newOption `json:"options"`
	HasUniqueValue     bool         `json:"hasUniqueValue"`
	Hidden             bool         `json:"hidden"`
	FormField          bool         `json:"formField"`
	DisplayOrder       int          `json:"displayOrder"`
	ExternalOptions    bool         `json:"externalOptions"`
	ReferencedObject   string       `json:"referencedObjectType"`
	CalculationFormula string       `json:"calculationFormula"`
	DataSensitivity    string       `json:"dataSensitivity"`
	NumberDisplayHint  string       `json:"numberDisplayHint"`
	TextDisplayHint    string       `json:"textDisplayHint"`
}

type newOption struct {
	Label        *string `json:"label"`
	Value        *string `json:"value"`
	DisplayOrder *int    `json:"displayOrder"`
	Hidden       *bool   `json:"hidden"`
	Description  string  `json:"description"`
}

// property returns the property that a body describes. ok is false if the body lacks a required member.
func (n newProperty) property() (p Property, ok bool) {
	if n.Name == nil || n.Label == nil || n.GroupName == nil || n.Type == nil || n.FieldType == nil {
		return p, false
	}
	p = Property{
		Name: *n.Name, Label: *n.Label, GroupName: *n.GroupName, Type: *n.Type, FieldType: *n.FieldType,
		Description: n.Description, HasUniqueValue: n.HasUniqueValue, Hidden: n.Hidden, FormField: n.FormField,
		DisplayOrder: n.DisplayOrder, ExternalOptions: n.ExternalOptions,
	}
	if n.Options == nil {
		return p, true
	}
	for _, o := range *n.Options {
		if o.Label == nil || o.Value == nil || o.DisplayOrder == nil || o.Hidden == nil {
			return p, false
		}
		p.Options = append(p.Options, Option{Label: *o.Label, Value: *o.Value, DisplayOrder: *o.DisplayOrder,
			Hidden: *o.Hidden, Description: o.Description})
	}
	return p, true
}

// optionsValid reports whether the values of the options can be told apart, alone and in a list.
func (p Property) optionsValid() bool {
	seen := map[string]bool{}
	for _, o := range p.Options {
		if o.Value == "" || strings.Contains(o.Value, ";") || seen[o.Value] {
			return false
		}
		seen[o.Value] = true
	}
	return true
}

func (s *schema) createProperty(w http.ResponseWriter, r *http.Request) {
	var body newProperty
	if !decode(w, r, &body) {
		return
	}
	p, complete := body.property()
	if !complete {
		writeError(w, http.StatusBadRequest, missingMember("name, label, groupName, type, fieldType, and label, value, "+
			"displayOrder and hidden of each option"))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.byName[p.Name]
	_, hasGroup := s.groups[p.GroupName]
	switch {
	case !propertyName.MatchString(p.Name) || strings.HasPrefix(p.Name, "hs_"):
		writeError(w, http.StatusBadRequest,
			problem{Message: "Property name " + truncate(p.Name) + " is not valid", Category: "VALIDATION_ERROR"})
	case p.Label == "" || !slices.Contains(fieldTypes[p.Type], p.FieldType):
		writeError(w, http.StatusBadRequest,
			problem{Message: "label, type and a matching fieldType are required", Category: "VALIDATION_ERROR"})
	case p.Type == "enumeration" && len(p.Options) == 0 && !p.ExternalOptions:
		writeError(w, http.StatusBadRequest,
			problem{Message: "An enumeration needs options", Category: "VALIDATION_ERROR"})
	case !p.optionsValid():
		writeError(w, http.StatusBadRequest,
			problem{Message: "Options need different values without semicolons", Category: "VALIDATION_ERROR"})
	case !hasGroup:
		writeError(w, http.StatusBadRequest,
			problem{Message: "Property group " + truncate(p.GroupName) + " does not exist",
				Category: "VALIDATION_ERROR"})
	case known:
		writeError(w, http.StatusConflict,
			problem{Message: "Property named '" + p.Name + "' already exists.", Category: "CONFLICT"})
	default:
		s.byName[p.Name] = p
		writeJSON(w, http.StatusCreated, p)
	}
}

func (s *schema) listGroups(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	writeResults(w, s.groups)
}

func (s *schema) createGroup(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name         string `json:"name"`
		Label        string `json:"label"`
		DisplayOrder int    `json:"displayOrder"`
	}
	if !decode(w, r, &body) {
		return
	}
	g := group{Name: body.Name, Label: body.Label, DisplayOrder: body.DisplayOrder}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.groups[g.Name]; ok {
		writeError(w, http.StatusConflict, problem{Message: "Property group already exists.", Category: "CONFLICT"})
		return
	}
	if !propertyName.MatchString(g.Name) || g.Label == "" {
		writeError(w, http.StatusBadRequest,
			problem{Message: "name and label are required", Category: "VALIDATION_ERROR"})
		return
	}
	s.groups[g.Name] = g
	writeJSON(w, http.StatusCreated, g)
}
