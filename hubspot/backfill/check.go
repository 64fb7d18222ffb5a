package backfill

import (
	"fmt"
	"hash/maphash"
	"strings"
	"unicode"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// checks decides which people can be imported.
type checks struct {
	trustEmails bool
	seed        maphash.Seed
	seen        map[uint64]int // hashes of addresses and subjects -> their line
}

func newChecks(trustEmails bool) checks {
	return checks{trustEmails: trustEmails, seed: maphash.MakeSeed(), seen: map[uint64]int{}}
}

// check returns why a person cannot be imported, and what to do, or "".
func (c *checks) check(row Row) (fault, cure string) {
	email := row.Claims["email"]
	switch {
	case email == "":
		return "no e-mail address", "add it, or remove the row"
	case !crm.ValidEmail(email):
		return "email is not an e-mail address", "write one plain address, such as ada@example.com"
	case !c.trustEmails && !IsVerified(row.Claims):
		if word := row.Claims["email_verified"]; isOddWord(word) {
			return fmt.Sprintf("email_verified is %q, which is neither true nor false", word), "write true or false"
		}
		return "email_verified is not true",
			"let the person verify the address, or use --trust-emails if you know that all addresses are right"
	}
	names := []string{"email\x00" + crm.EmailKey(email)}
	if sub := row.Claims["sub"]; sub != "" {
		names = append(names, "sub\x00"+sub)
	}
	return c.repeated(names, row.Line)
}

// isOddWord reports whether a text is a word, and neither true nor false. Spreadsheets write true in their
// own language.
func isOddWord(text string) bool {
	other := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	return text != "" && len(text) <= 20 && !strings.EqualFold(text, "false") && strings.IndexFunc(text, other) < 0
}

// IsVerified reports whether the claims say that the address is verified.
func IsVerified(claims map[string]string) bool {
	return strings.EqualFold(claims["email_verified"], "true")
}

// repeated returns a fault if an earlier person has one of the names, and otherwise remembers them.
func (c *checks) repeated(names []string, line int) (fault, cure string) {
	sums := make([]uint64, len(names))
	for i, name := range names {
		sums[i] = maphash.String(c.seed, name)
		if first, found := c.seen[sums[i]]; found {
			claim, _, _ := strings.Cut(name, "\x00")
			return fmt.Sprintf("the %s of line %d again", claim, first), "keep one row per person"
		}
	}
	for _, sum := range sums {
		c.seen[sum] = line
	}
	return "", ""
}
