package crm

import (
	"net/mail"
	"strings"

	"golang.org/x/net/idna"
)

// EmailKey returns the spelling under which HubSpot stores an address: in lower case, with the domain in ASCII
// (punycode, RFC 5891).
func EmailKey(email string) string {
	key := strings.ToLower(strings.TrimSpace(email))
	local, domain, found := strings.Cut(key, "@")
	if !found || isASCII(domain) {
		return key
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		return local + "@" + ascii
	}
	return key
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// ValidEmail reports whether HubSpot accepts an address: one bare address with a dotted domain, in ASCII except for an
// internationalized domain. Quoted local parts, comments and display names are rejected, because two parsers may read
// different addresses from them.
func ValidEmail(email string) bool {
	email = EmailKey(email)
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
