package crm

import (
	"net/mail"
	"strings"
)

// EmailKey returns the spelling under which HubSpot stores an address.
func EmailKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// ValidEmail reports whether HubSpot accepts an address: one bare ASCII address with a dotted domain. Quoted local
// parts, comments and display names are rejected, because two parsers may read different addresses from them.
func ValidEmail(email string) bool {
	email = strings.TrimSpace(email)
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || len(email) > 254 || strings.ContainsAny(email, "\"\\ ,;:<>()[]") {
		return false
	}
	local, domain, _ := strings.Cut(email, "@")
	for i := range len(email) {
		if email[i] <= ' ' || email[i] >= 0x7f {
			return false
		}
	}
	return len(local) <= 64 && strings.Contains(strings.Trim(domain, "."), ".")
}
