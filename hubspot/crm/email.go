package crm

import (
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
	"golang.org/x/net/idna"
)

// EmailKey returns the spelling under which HubSpot stores an address: in lower case, with the domain in ASCII
// (punycode, RFC 5891). No character outside ASCII becomes one of ASCII, as Unicode's lower case and IDNA's mapping
// would do with the Kelvin sign and full-width letters: one person's address would become another's (CWE-178).
func EmailKey(email string) string {
	key := setting.Lower(strings.Trim(email, " \t\r\n"))
	local, domain, found := strings.Cut(key, "@")
	if !found {
		return key
	}
	labels := strings.Split(domain, ".")
	for i, label := range labels {
		labels[i] = labelInASCII(label)
	}
	return local + "@" + strings.Join(labels, ".")
}

// labelInASCII returns a label of a domain, in lower case, in punycode. A label that does not become itself again stays
// as it is, so that it is not valid: it would be another domain's.
func labelInASCII(label string) string {
	if !strings.ContainsFunc(label, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return label
	}
	ascii, err := idna.Lookup.ToASCII(label)
	if err != nil {
		return label
	}
	if back, err := idna.Lookup.ToUnicode(ascii); err != nil || back != label {
		return label
	}
	return ascii
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
