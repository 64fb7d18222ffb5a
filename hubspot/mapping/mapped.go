package mapping

import (
	"slices"

	"github.com/hubgate/hubgate/hubspot/outbox"
)

// Mapped returns a login with only what the mapping and the skipped groups need. What is kept longer than until the
// contact is sent (a dead letter, the last login) must not hold claims that nobody asked for, nor the visitor's address
// and tracking cookie.
func (m *Mapping) Mapped(l outbox.Login) outbox.Login {
	kept := outbox.Login{
		Issuer: l.Issuer, Subject: l.Subject, Email: l.Email, EmailVerified: l.EmailVerified, At: l.At,
		SessionEnds: l.SessionEnds, Claims: map[string]any{},
	}
	all := m.reads(groupsClaim(l))
	if all {
		kept.GroupsClaim = l.GroupsClaim
	}
	for _, group := range l.Groups {
		if all || slices.Contains(m.cfg.Skip.Groups, group) {
			kept.Groups = append(kept.Groups, group)
		}
	}
	for name, value := range l.Claims {
		if m.reads(name) {
			kept.Claims[name] = value
		}
	}
	if m.reads("name") {
		kept.Name = l.Name
	}
	for _, r := range m.rules {
		switch r.Value {
		case ValueHost:
			kept.Host = l.Host
		case ValueFirstPage:
			kept.FirstPage = PageOf(l.FirstPage)
		}
	}
	return kept
}

// reads reports whether a property is mapped to a claim.
func (m *Mapping) reads(claim string) bool {
	return slices.ContainsFunc(m.rules, func(r rule) bool { return r.Claim == claim })
}
