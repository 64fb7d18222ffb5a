package access

import (
	"encoding/hex"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/session"
)

// person is a visitor whose e-mail address the provider has verified.
type person struct {
	issuer, subject string
	email           string // as crm.EmailKey spells it
	// names are the person's names in Redis: MACs under the sealing key and, during a rotation, the next key of the ring.
	names []string
}

// personOf returns the person of a session. Only a verified address says which contact is the visitor's: anyone can
// claim any other one (CWE-345).
func personOf(ring *seal.Ring, s *session.Session) (p person, ok bool) {
	email := crm.EmailKey(s.Email)
	if !s.EmailVerified || email == "" {
		return person{}, false
	}
	macs := ring.MACs(seal.UserIndex, []byte("crm access\x00"+s.Issuer+"\x00"+s.Subject+"\x00"+email))
	p = person{issuer: s.Issuer, subject: s.Subject, email: email}
	for _, mac := range macs[:min(2, len(macs))] {
		p.names = append(p.names, hex.EncodeToString(mac[:16]))
	}
	return p, true
}

// name is the name that this replica uses.
func (p person) name() string { return p.names[0] }

// logHash is the person's pseudonym in logs.
func (p person) logHash(ring *seal.Ring) string {
	return hex.EncodeToString(ring.MAC(seal.LogHash, []byte(p.issuer+"\x00"+p.subject)))[:16]
}

// Known is what HubSpot said about a person. It never changes: a later answer is another Known.
type Known struct {
	Email      string              `json:"email"`      // as crm.EmailKey spells it
	Account    string              `json:"account"`    // the HubSpot account that the ids belong to
	Contact    bool                `json:"contact"`    // exactly one contact has the address
	Lists      map[string]bool     `json:"lists"`      // by id: every list that was asked about
	Properties map[string][]string `json:"properties"` // by name: every property that was asked for
	Missing    []string            `json:"missing"`    // those of them that HubSpot left out: they are unknown
	ReadAt     time.Time           `json:"read_at"`    // before the first call was sent
}

// forSession returns the knowledge as rules read it. It shares the maps, which are never changed.
func (k *Known) forSession(maxStale time.Duration) *session.CRM {
	return &session.CRM{
		Contact: k.Contact, Lists: k.Lists, Properties: k.Properties,
		ReadAt: k.ReadAt, UsableUntil: k.ReadAt.Add(maxStale),
	}
}
