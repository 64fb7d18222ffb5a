package fakehubspot

import (
	"maps"
	"slices"
	"time"
)

// version is what the properties of a contact became at a time.
type version struct {
	at         time.Time
	properties map[string]string
}

// remember keeps the properties of a contact for as long as a read may still show them.
func (s *Server) remember(c *Contact) {
	if s.cfg.Lag == 0 {
		return
	}
	now := s.cfg.Now()
	kept := append(s.contacts.history[c.ID], version{now, maps.Clone(c.Properties)})
	for len(kept) > 1 && !kept[1].at.After(now.Add(-2*s.cfg.Lag)) {
		kept = kept[1:]
	}
	s.contacts.history[c.ID] = kept
}

// before returns a contact as it was some time ago, or nil if it did not exist.
func (s *Server) before(c *Contact, ago time.Duration) *Contact {
	if c == nil || s.cfg.Lag == 0 {
		return c
	}
	at := s.cfg.Now().Add(-ago)
	for _, v := range slices.Backward(s.contacts.history[c.ID]) {
		if !v.at.After(at) {
			seen := *c
			seen.Properties = v.properties
			return &seen
		}
	}
	return nil
}

// shown returns the contacts as batch reads show them.
func (s *Server) shown() *contactStore {
	if s.cfg.Lag == 0 {
		return s.contacts
	}
	seen := newContactStore()
	seen.merged = s.contacts.merged
	for _, c := range s.contacts.byID {
		if c := s.before(c, s.cfg.Lag); c != nil {
			seen.byID[c.ID] = c
			seen.index(c, true)
		}
	}
	return seen
}
