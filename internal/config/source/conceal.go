package source

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/hubgate/hubgate/internal/setting"
)

// concealedText replaces a secret in a message.
const concealedText = "<secret>"

// Concealer removes secrets from messages. A message quotes the value that it is about, and a secret in the wrong place
// is then in the logs of every start and check (CWE-532).
type Concealer struct{ values []string }

// Lengths in bytes: shorter values are parts of ordinary words, and messages may cut off longer ones.
const (
	minConcealed = 8
	maxQuoted    = 60
)

// Add notes a value that messages must not contain.
func (c *Concealer) Add(value string) {
	word := setting.HasPlaceholder(value) || setting.MeansNone(value) || strings.Contains(value, "${")
	if len(value) >= minConcealed && !word && !slices.Contains(c.values, value) {
		c.values = append(c.values, value)
	}
}

var (
	// userInfo matches what may be a name and a password before the @ of an address.
	userInfo = regexp.MustCompile(`[^\s"'\[\]=]*:[^\s"']*@`)
	// apiToken matches HubSpot's tokens.
	apiToken = regexp.MustCompile(`pat-[a-z]{2}[0-9]+-[0-9A-Za-z-]+`)
)

// Conceal returns one line without secrets, and without control characters, which could fake further lines.
func (c *Concealer) Conceal(text string) string {
	text = apiToken.ReplaceAllString(text, concealedText)
	text = userInfo.ReplaceAllStringFunc(text, concealUser)
	for _, value := range c.values {
		pattern := regexp.QuoteMeta(value)
		if len(value) > maxQuoted {
			pattern = regexp.QuoteMeta(setting.Truncate(value, maxQuoted)[:maxQuoted-3]) + `[^\s"']*`
		}
		if found, err := regexp.Compile("(?i)" + pattern); err == nil {
			text = found.ReplaceAllLiteralString(text, concealedText)
		}
	}
	return visible(text)
}

// concealUser hides the name and the password in an address up to its @, unless url.URL.Redacted did.
func concealUser(address string) string {
	scheme, _, found := strings.Cut(address, "://")
	switch {
	case strings.HasPrefix(address, "mailto:"), strings.HasSuffix(address, ":xxxxx@"):
		return address
	case found:
		return scheme + "://" + concealedText + "@"
	}
	return concealedText + "@"
}

// visible returns text with escapes for control characters.
func visible(text string) string {
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// namesSecret reports whether an environment variable or a file probably holds a secret, by its name.
func namesSecret(name string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc([]string{"SECRET", "TOKEN", "PASS", "PWD", "CREDENTIAL", "KEY"}, func(word string) bool {
		return strings.Contains(name, word)
	})
}
