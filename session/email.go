package session

import "strings"

// EmailOf returns the e-mail address that claims contain, and whether they say that it is verified. A claim that is not
// one plain address is ignored. Cognito's userinfo and some federated providers send the text true.
func EmailOf(claims map[string]any) (address string, verified bool) {
	if text, ok := claims["email"].(string); ok && isEmail(text) {
		address = text
	}
	stated := claims["email_verified"]
	return address, stated == true || stated == "true"
}

// isEmail reports whether address is one plain address: exactly one @, no quotes, white space or control characters. It
// rejects attacker@evil.com@company.com, which other software may read as company.com's (CWE-20).
func isEmail(address string) bool {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" || domain == "" || len(address) > 254 {
		return false
	}
	if strings.Contains(domain, "@") || strings.ContainsAny(address, "\"()<>[]:;,\\ ") {
		return false
	}
	if strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return false
	}
	return strings.Trim(domain, ".-") == domain
}
