package outbox

import (
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// Login is one login to be synced: the person and the values that contact properties are made from.
type Login struct {
	Issuer        string         `json:"issuer"`
	Subject       string         `json:"subject"`
	Email         string         `json:"email"`
	EmailVerified bool           `json:"email_verified,omitempty"`
	Name          string         `json:"name,omitempty"`
	Groups        []string       `json:"groups,omitempty"`
	GroupsClaim   string         `json:"groups_claim,omitempty"` // the claim that Groups is, if it is not in Claims
	Claims        map[string]any `json:"claims,omitempty"`
	Host          string         `json:"host,omitempty"`       // the public host
	FirstPage     string         `json:"first_page,omitempty"` // the page that was requested before the login
	UTK           string         `json:"utk,omitempty"`        // the browser's hubspotutk cookie
	OptedOut      bool           `json:"opted_out,omitempty"`  // the browser has HubSpot's opt-out cookie
	Address       string         `json:"address,omitempty"`    // the visitor's IP address
	Oversized     []string       `json:"oversized,omitempty"`  // mapped claims that were too large for the queue
	At            time.Time      `json:"at"`
	SessionEnds   time.Time      `json:"session_ends,omitzero"` // when the session of this login ends
}

// personID returns the subject, or the address of a person whose contact an operator requested.
func personID(l Login) string {
	if l.Subject == "" {
		return "email\x00" + crm.EmailKey(l.Email)
	}
	return l.Subject
}
