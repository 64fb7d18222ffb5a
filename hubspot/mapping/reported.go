package mapping

import (
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// rejectedFor is how long a rejected property is shown after the last value that did not reach HubSpot.
const rejectedFor = 7 * 24 * time.Hour

// IsOver reports whether a rejected property is no longer worth showing: it is old, the mapping has changed, or HubSpot
// has the property now.
func (m *Mapping) IsOver(p outbox.RejectedProperty, known crm.Schema, now time.Time) bool {
	r, mapped := m.Rule(p.Property)
	switch crm.Reason(p.Code) {
	case crm.NoSuchProperty, crm.ReadOnly:
		if known != nil && known.Unwritable(p.Property) == "" {
			return true
		}
	}
	return !mapped || p.Rule != "" && p.Rule != r.Mark() || now.Sub(p.LastAt) > rejectedFor
}

// IsFixed reports whether a rejection is over because a later contact was written with the property: its cause was the
// property, the token or the mapping. What a person's value caused stays, because the next person's says nothing about
// it.
func (m *Mapping) IsFixed(p outbox.RejectedProperty) bool {
	switch crm.Reason(p.Code) {
	case crm.NoSuchProperty, crm.ReadOnly, crm.NoRead:
		return true
	}
	r, mapped := m.Rule(p.Property)
	return mapped && r.Claim == ""
}

const unseenAfter = 24 * time.Hour

// UnseenClaims returns the mapped claims that no login of the last day carried, although there were logins.
func (m *Mapping) UnseenClaims(uses map[string]outbox.ClaimUse, now time.Time) []outbox.UnseenClaim {
	list := []outbox.UnseenClaim{}
	for _, r := range m.rules {
		use, found := uses[r.Claim]
		if r.Claim == "" || !found || use.Missing == 0 || now.Sub(use.LastSeen) <= unseenAfter {
			continue
		}
		unseen := outbox.UnseenClaim{Claim: r.Claim, Property: r.property, Logins: use.Missing}
		if !use.LastSeen.IsZero() {
			at := use.LastSeen.UTC()
			unseen.LastSeen = &at
		}
		list = append(list, unseen)
	}
	return list
}
