package fakehubspot

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) readContact(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.contactOf(w, r)
	if c == nil {
		return
	}
	names := []string{"email", "firstname", "lastname"}
	if asked := r.URL.Query().Get("properties"); asked != "" {
		names = strings.Split(asked, ",")
	}
	writeJSON(w, http.StatusOK, c.render(names))
}

func (s *Server) listContacts(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 100 {
		limit = 10
	}
	list := []object{}
	for _, c := range s.Contacts() {
		if len(list) < limit {
			list = append(list, c.render([]string{"email", "firstname", "lastname"}))
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"results": list})
}

// contactOf returns the contact of a path, by its id or by a unique property. If there is none, it writes the response.
func (s *Server) contactOf(w http.ResponseWriter, r *http.Request) *Contact {
	c := s.contacts.get(r.PathValue("id"))
	if property := r.URL.Query().Get("idProperty"); property != "" {
		c = s.contacts.find(property, r.PathValue("id"))
	}
	if c == nil {
		writeError(w, http.StatusNotFound, problem{Message: "resource not found", Category: "OBJECT_NOT_FOUND"})
	}
	return c
}

func (s *Server) patchContact(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Properties map[string]string `json:"properties"`
	}
	if !decode(w, r, &body) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if body.Properties == nil {
		writeError(w, http.StatusBadRequest, missingMember("properties"))
		return
	}
	c := s.contactOf(w, r)
	if c == nil {
		return
	}
	if status, p := s.checkWrite(c, body.Properties); p != nil {
		writeError(w, status, *p)
		return
	}
	s.write(c, body.Properties)
	writeJSON(w, http.StatusOK, c.render(slices.Collect(maps.Keys(body.Properties))))
}

// association is a link of a new contact to another record.
type association struct {
	To struct {
		ID string `json:"id"`
	} `json:"to"`
	Types []struct {
		Category string `json:"associationCategory"`
		ID       int    `json:"associationTypeId"`
	} `json:"types"`
}

func (s *Server) createContact(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Properties   map[string]string `json:"properties"`
		Associations []association     `json:"associations"`
	}
	if !decode(w, r, &body) {
		return
	}
	if body.Properties == nil || body.Associations == nil {
		writeError(w, http.StatusBadRequest, missingMember("properties and associations"))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if status, p := s.checkWrite(nil, body.Properties); p != nil {
		writeError(w, status, *p)
		return
	}
	c := s.insert(body.Properties)
	writeJSON(w, http.StatusCreated, c.render(slices.Collect(maps.Keys(body.Properties))))
}

// checkWrite returns why these properties cannot be written to c (nil = a new contact).
func (s *Server) checkWrite(c *Contact, properties map[string]string) (int, *problem) {
	if bad := s.schema.check(properties); len(bad) > 0 {
		return http.StatusBadRequest, invalid(bad)
	}
	if c != nil && s.contacts.locked[c.ID] {
		return http.StatusLocked, &problem{Message: "This record is locked.", Category: "LOCKED"}
	}
	for name, value := range properties {
		if p, _ := s.schema.property(name); (p.HasUniqueValue || name == "email") && value != "" {
			if other := s.contacts.find(name, value); other != nil && other != c {
				return http.StatusConflict, &problem{
					Message: fmt.Sprintf("Contact already exists. Existing ID: %s", other.ID), Category: "CONFLICT",
				}
			}
		}
	}
	if unset := s.schema.unset(properties); c == nil && len(unset) > 0 {
		return http.StatusBadRequest, &problem{
			Message: "Error creating CONTACT. Some required properties were not set.", Category: "VALIDATION_ERROR",
			Context: map[string][]string{"properties": unset},
		}
	}
	return 0, nil
}
