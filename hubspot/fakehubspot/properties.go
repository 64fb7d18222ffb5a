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
	writeResults(w, s.byName)
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

func (s *schema) createProperty(w http.ResponseWriter, r *http.Request) {
	var p Property
	if !decode(w, r, &p) {
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
	case p.Type == "enumeration" && len(p.Options) == 0:
		writeError(w, http.StatusBadRequest,
			problem{Message: "An enumeration needs options", Category: "VALIDATION_ERROR"})
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
	var g group
	if !decode(w, r, &g) {
		return
	}
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
