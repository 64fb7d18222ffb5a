package fakehubspot

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Contact is a contact as the account holds it.
type Contact struct {
	ID         string
	Properties map[string]string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Writes     int
}

type people struct {
	next    int
	byID    map[string]*Contact
	byEmail map[string]*Contact
	merged  map[string]string // the loser's id: the winner's
	locked  map[string]bool
}

func newPeople() *people {
	return &people{next: 1001, byID: map[string]*Contact{}, byEmail: map[string]*Contact{}, merged: map[string]string{}, locked: map[string]bool{}}
}

// get finds a contact by its id, or by one that it was merged from.
func (p *people) get(id string) *Contact {
	for p.merged[id] != "" {
		id = p.merged[id]
	}
	return p.byID[id]
}

// find looks a contact up by a unique property; e-mail also matches secondary addresses, as HubSpot does.
func (p *people) find(property, value string) *Contact {
	if property == "email" {
		return p.byEmail[strings.ToLower(value)]
	}
	for _, c := range p.byID {
		if value != "" && c.Properties[property] == value {
			return c
		}
	}
	return nil
}

// index enters a contact under its addresses, or takes it out.
func (p *people) index(c *Contact, in bool) {
	for email := range strings.SplitSeq(c.Properties["email"]+";"+c.Properties["hs_additional_emails"], ";") {
		if in && email != "" {
			p.byEmail[email] = c
		} else if p.byEmail[email] == c {
			delete(p.byEmail, email)
		}
	}
}

// Contacts returns copies of all contacts, the oldest first.
func (s *Server) Contacts() []Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Contact, 0, len(s.people.byID))
	for _, c := range s.people.byID {
		copied := *c
		copied.Properties = maps.Clone(c.Properties)
		list = append(list, copied)
	}
	slices.SortFunc(list, func(a, b Contact) int {
		x, _ := strconv.Atoi(a.ID)
		y, _ := strconv.Atoi(b.ID)
		return x - y
	})
	return list
}

// Add puts a contact in as a person or another program would have, without a call.
func (s *Server) Add(properties map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.insert(properties).ID
}

// Remove deletes a contact.
func (s *Server) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.people.byID[id]; c != nil {
		s.people.index(c, false)
		delete(s.people.byID, id)
	}
}

// Merge puts the second contact into the first one: its address becomes a further one, its id leads to the first.
func (s *Server) Merge(winner, loser string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, l := s.people.byID[winner], s.people.byID[loser]
	further := strings.Split(w.Properties["hs_additional_emails"]+";"+l.Properties["email"]+";"+l.Properties["hs_additional_emails"], ";")
	s.people.index(l, false)
	w.Properties["hs_additional_emails"] = strings.Join(slices.DeleteFunc(further, func(e string) bool { return e == "" }), ";")
	s.people.index(w, true)
	delete(s.people.byID, loser)
	s.people.merged[loser] = winner
}

// Lock makes writes to a contact fail with 423 until it is unlocked.
func (s *Server) Lock(id string, locked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people.locked[id] = locked
}

func (s *Server) insert(properties map[string]string) *Contact {
	now := s.cfg.Now().UTC()
	c := &Contact{ID: strconv.Itoa(s.people.next), Properties: map[string]string{}, CreatedAt: now}
	s.people.next++
	s.people.byID[c.ID] = c
	s.write(c, properties)
	return c
}

func (s *Server) write(c *Contact, properties map[string]string) {
	s.people.index(c, false)
	defer s.people.index(c, true)
	for name, value := range properties {
		if name == "email" {
			value = strings.ToLower(value)
		}
		if value == "" {
			delete(c.Properties, name)
			continue
		}
		c.Properties[name] = value
	}
	c.UpdatedAt, c.Writes = s.cfg.Now().UTC(), c.Writes+1
}

type object struct {
	ID         string            `json:"id"`
	New        *bool             `json:"new,omitempty"`
	Properties map[string]string `json:"properties"`
	CreatedAt  string            `json:"createdAt"`
	UpdatedAt  string            `json:"updatedAt"`
	Archived   bool              `json:"archived"`
	TraceID    string            `json:"objectWriteTraceId,omitempty"`
}

const stamp = "2006-01-02T15:04:05.000Z"

// render shows a contact with the properties that were asked for; HubSpot always adds its own.
func (c *Contact) render(names []string) object {
	shown := map[string]string{"hs_object_id": c.ID, "createdate": c.CreatedAt.Format(stamp), "lastmodifieddate": c.UpdatedAt.Format(stamp)}
	for _, name := range names {
		if value, ok := c.Properties[name]; ok {
			shown[name] = value
		}
	}
	return object{ID: c.ID, Properties: shown, CreatedAt: c.CreatedAt.Format(stamp), UpdatedAt: c.UpdatedAt.Format(stamp)}
}

func (s *Server) readContact(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.named(r)
	if c == nil {
		fail(w, http.StatusNotFound, problem{Message: "resource not found", Category: "OBJECT_NOT_FOUND"})
		return
	}
	names := []string{"email", "firstname", "lastname"}
	if asked := r.URL.Query().Get("properties"); asked != "" {
		names = strings.Split(asked, ",")
	}
	answer(w, http.StatusOK, c.render(names))
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
	answer(w, http.StatusOK, map[string]any{"results": list})
}

func (s *Server) named(r *http.Request) *Contact {
	if property := r.URL.Query().Get("idProperty"); property != "" {
		return s.people.find(property, r.PathValue("id"))
	}
	return s.people.get(r.PathValue("id"))
}

func (s *Server) patchContact(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Properties map[string]string `json:"properties"`
	}
	if !read(w, r, &body) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.named(r)
	if c == nil {
		fail(w, http.StatusNotFound, problem{Message: "resource not found", Category: "OBJECT_NOT_FOUND"})
		return
	}
	if status, p := s.refuse(c, body.Properties); p != nil {
		fail(w, status, *p)
		return
	}
	s.write(c, body.Properties)
	answer(w, http.StatusOK, c.render(slices.Collect(maps.Keys(body.Properties))))
}

func (s *Server) createContact(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Properties   map[string]string `json:"properties"`
		Associations []any             `json:"associations"`
	}
	if !read(w, r, &body) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if status, p := s.refuse(nil, body.Properties); p != nil {
		fail(w, status, *p)
		return
	}
	c := s.insert(body.Properties)
	answer(w, http.StatusCreated, c.render(slices.Collect(maps.Keys(body.Properties))))
}

// refuse tells why a write of these properties to c (nil = a new contact) is not possible.
func (s *Server) refuse(c *Contact, properties map[string]string) (int, *problem) {
	if bad := s.schema.check(properties); len(bad) > 0 {
		return http.StatusBadRequest, invalid(bad)
	}
	for name, value := range properties {
		if p := s.schema.byName[name]; (p.HasUniqueValue || name == "email") && value != "" {
			if other := s.people.find(name, value); other != nil && other != c {
				return http.StatusConflict, &problem{
					Message: fmt.Sprintf("Contact already exists. Existing ID: %s", other.ID), Category: "CONFLICT",
				}
			}
		}
	}
	return 0, nil
}
