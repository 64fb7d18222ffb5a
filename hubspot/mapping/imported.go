package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/hubgate/hubgate/hubspot/backfill"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// Provider is the login provider that the people of a file belong to.
type Provider struct {
	Issuer      string
	GroupsClaim string
}

// Fingerprint identifies what the people of a file are mapped to.
func (m *Mapping) Fingerprint(from Provider) string {
	text, _ := json.Marshal([]any{from, m.cfg.Properties}) // cannot fail
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Skipped is why a person of a file does not become a contact. It is zero for one who does.
type Skipped struct {
	Reason   string
	Excluded bool // the configuration excludes the person: nothing is wrong with the row
}

// ImportedLogin returns a person of a file as a login without time, host and page, with the mapped claims only.
func (m *Mapping) ImportedLogin(from Provider, claims map[string]string, trust bool) (l outbox.Login, s Skipped) {
	l = outbox.Login{
		Issuer: from.Issuer, Subject: claims["sub"], Email: claims["email"], Name: claims["name"],
		EmailVerified: trust || backfill.IsVerified(claims), Claims: map[string]any{},
	}
	groups, known := claims[from.GroupsClaim]
	l.Groups = splitGroups(groups)
	for _, r := range m.rules {
		switch value, found := claims[r.Claim]; {
		case r.Claim == "" || !found:
		case r.Claim == from.GroupsClaim:
			l.Claims[r.Claim] = l.Groups
		default:
			l.Claims[r.Claim] = value
		}
	}
	switch {
	case !l.EmailVerified:
		return l, Skipped{Reason: SkipText(SkipUnverified)}
	case !known && len(m.cfg.Skip.Groups) > 0:
		return l, Skipped{Reason: "groups unknown: add the claim " + from.GroupsClaim +
			", because hubspot.contacts.skip.groups is set"}
	}
	l = m.LimitSize(l)
	switch reason := m.Skip(l); reason {
	case SkipGroup:
		return l, Skipped{"excluded by hubspot.contacts.skip.groups", true}
	case SkipDomain:
		return l, Skipped{"excluded by hubspot.contacts.skip.email_domains", true}
	default:
		return l, Skipped{Reason: SkipText(reason)}
	}
}

func splitGroups(text string) []string {
	groups := []string{}
	for _, group := range strings.Split(text, ";") {
		if group = strings.TrimSpace(group); group != "" {
			groups = append(groups, group)
		}
	}
	return groups
}
