package fakehubspot

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Contact is a contact of the account.
type Contact struct {
	ID         string
	Properties map[string]string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Writes     int
}

type contactStore struct {
	next    int
	byID    map[string]*Contact
	byEmail map[string]*Contact
	merged  map[string]string // id of a merged contact -> id of the remaining one
	locked  map[string]bool
	history map[string][]version // what batch reads show, while there is a lag
}

func newContactStore() *contactStore {
	return &contactStore{next: 1001, byID: map[string]*Contact{}, byEmail: map[string]*Contact{},
		merged: map[string]string{}, locked: map[string]bool{}, history: map[string][]version{}}
}

// get returns the contact with an id, or the one that it was merged into.
func (p *contactStore) get(id string) *Contact {
	for p.merged[id] != "" {
		id = p.merged[id]
	}
	return p.byID[id]
}

// find returns the contact with a unique value. An e-mail address also matches secondary addresses, as in HubSpot.
func (p *contactStore) find(property, value string) *Contact {
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

// index adds a contact to the index of addresses, or removes it.
func (p *contactStore) index(c *Contact, in bool) {
	for email := range strings.SplitSeq(c.Properties["email"]+";"+c.Properties["hs_additional_emails"], ";") {
		if in && email != "" {
			p.byEmail[email] = c
		} else if p.byEmail[email] == c {
			delete(p.byEmail, email)
		}
	}
}

// Contacts returns copies of all contacts, oldest first.
func (s *Server) Contacts() []Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Contact, 0, len(s.contacts.byID))
	for _, c := range s.contacts.byID {
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

// Add adds a contact without a call, as a person or another program might have, and returns its id.
func (s *Server) Add(properties map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.insert(properties).ID
}

// Update changes properties of a contact without a call; "" clears one.
func (s *Server) Update(id string, properties map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.write(s.contacts.byID[id], properties)
}

// Delete deletes a contact.
func (s *Server) Delete(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contacts.index(s.contacts.byID[id], false)
	delete(s.contacts.byID, id)
}

// Merge merges the second contact into the first one: its address becomes a secondary one, its id redirects to the
// first.
func (s *Server) Merge(winner, loser string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, l := s.contacts.byID[winner], s.contacts.byID[loser]
	emails := strings.Split(w.Properties["hs_additional_emails"]+";"+
		l.Properties["email"]+";"+l.Properties["hs_additional_emails"], ";")
	emails = slices.DeleteFunc(emails, func(e string) bool { return e == "" })
	s.contacts.index(l, false)
	w.Properties["hs_additional_emails"] = strings.Join(emails, ";")
	s.contacts.index(w, true)
	s.remember(w)
	delete(s.contacts.byID, loser)
	s.contacts.merged[loser] = winner
}

// Lock makes writes to a contact fail with 423 while locked is true.
func (s *Server) Lock(id string, locked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contacts.locked[id] = locked
}

func (s *Server) insert(properties map[string]string) *Contact {
	now := s.cfg.Now().UTC()
	c := &Contact{ID: strconv.Itoa(s.contacts.next), Properties: map[string]string{}, CreatedAt: now}
	s.contacts.next++
	s.contacts.byID[c.ID] = c
	s.write(c, properties)
	return c
}

func (s *Server) write(c *Contact, properties map[string]string) {
	s.contacts.index(c, false)
	defer s.contacts.index(c, true)
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
	s.remember(c)
}

type object struct {
	ID         string             `json:"id"`
	New        *bool              `json:"new,omitempty"`
	Properties map[string]*string `json:"properties"` // nil = it has no value
	CreatedAt  string             `json:"createdAt"`
	UpdatedAt  string             `json:"updatedAt"`
	Archived   bool               `json:"archived"`
	TraceID    string             `json:"objectWriteTraceId,omitempty"`
}

const timeLayout = "2006-01-02T15:04:05.000Z"

// render returns a contact with the requested properties; like HubSpot it always adds some of its own.
func (c *Contact) render(names []string) object {
	created, updated := c.CreatedAt.Format(timeLayout), c.UpdatedAt.Format(timeLayout)
	shown := map[string]*string{"hs_object_id": &c.ID, "createdate": &created, "lastmodifieddate": &updated}
	for _, name := range names {
		if value, ok := c.Properties[name]; ok {
			shown[name] = &value
		} else if shown[name] == nil {
			shown[name] = nil
		}
	}
	return object{ID: c.ID, Properties: shown, CreatedAt: created, UpdatedAt: updated}
}
