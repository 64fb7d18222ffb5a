package fakehubspot

import (
	"slices"
	"strconv"
	"time"
)

// List is a list of the account, which HubSpot also calls a segment.
type List struct {
	ID           string // "" = the next free one
	LegacyID     string // the id that older calls use; "" = none
	Name         string
	ObjectTypeID string  // "" = 0-1, contacts
	Filter       *Branch // decides who is in a dynamic list; nil = a static list, which Join and Leave change
	Deleted      bool
}

type listStore struct {
	next    int
	byID    map[string]*List
	changes map[string]map[string][]change // of the members of static lists, by list and contact
}

// change is a contact that joins or leaves a list.
type change struct {
	at time.Time
	in bool
}

func newListStore() *listStore {
	return &listStore{next: 1, byID: map[string]*List{}, changes: map[string]map[string][]change{}}
}

// AddList adds or replaces a list and returns its id.
func (s *Server) AddList(l List) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l.ID == "" {
		if id := strconv.Itoa(s.lists.next); s.lists.byID[id] == nil {
			l.ID = id
		}
		s.lists.next++
	}
	if l.ObjectTypeID == "" {
		l.ObjectTypeID = contactType
	}
	s.lists.byID[l.ID] = &l
	return l.ID
}

// contactType is HubSpot's object type of contacts.
const contactType = "0-1"

// Lists returns all lists, by id.
func (s *Server) Lists() []List {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]List, 0, len(s.lists.byID))
	for _, l := range s.lists.byID {
		list = append(list, *l)
	}
	slices.SortFunc(list, func(a, b List) int {
		x, _ := strconv.Atoi(a.ID)
		y, _ := strconv.Atoi(b.ID)
		return x - y
	})
	return list
}

// Join adds a contact to a static list.
func (s *Server) Join(list, contact string) { s.change(list, contact, true) }

// Leave removes a contact from a static list.
func (s *Server) Leave(list, contact string) { s.change(list, contact, false) }

func (s *Server) change(list, contact string, in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	members := s.lists.changes[list]
	if members == nil {
		members = map[string][]change{}
		s.lists.changes[list] = members
	}
	members[contact] = append(members[contact], change{s.cfg.Now(), in})
}

// Members returns the ids of the contacts in a list, as reads show them now.
func (s *Server) Members(list string) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range s.contacts.byID {
		if s.isMember(list, c, 0) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// listsOf returns the ids of the lists that a contact is in, as reads show them now.
func (s *Server) listsOf(c *Contact) (ids []string) {
	for id := range s.lists.byID {
		if s.isMember(id, c, 0) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// maxNested bounds how deep lists may refer to each other.
const maxNested = 10

// isMember reports whether a contact is in a list. depth counts the lists that refer to it.
func (s *Server) isMember(list string, c *Contact, depth int) bool {
	l := s.lists.byID[list]
	switch {
	case l == nil || l.Deleted || l.ObjectTypeID != contactType || depth > maxNested:
		return false
	case l.Filter == nil:
		until := s.cfg.Now().Add(-s.cfg.Lag)
		for _, change := range slices.Backward(s.lists.changes[list][c.ID]) {
			if !change.at.After(until) {
				return change.in
			}
		}
		return false
	}
	c = s.before(c, 2*s.cfg.Lag)
	return c != nil && s.matches(*l.Filter, c, func(other string) bool { return s.isMember(other, c, depth+1) })
}

// joined returns when a contact joined a list for the first and for the last time.
func (s *Server) joined(list string, c *Contact) (first, last time.Time) {
	first, last = c.CreatedAt, c.UpdatedAt
	for i, change := range s.lists.changes[list][c.ID] {
		if i == 0 {
			first = change.at
		}
		if change.in {
			last = change.at
		}
	}
	return first, last
}
