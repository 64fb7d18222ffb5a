package crm

import (
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
)

// redactor removes what a call sent from the texts of its response. Errors are logged, shown to operators and stored in
// Redis, and HubSpot repeats the values that it rejects (CWE-532).
type redactor []string

const (
	maxMessage = 300
	// longestText is longer than any text of HubSpot. What is cut off must not begin with a part of a value.
	longestText = 1 << 16
	// valuePrefix is how much of a long value identifies it: HubSpot truncates long values in its messages.
	valuePrefix = 40
)

// text prepares a text from HubSpot for logs and operators: short, one line, without values, e-mail addresses and
// tokens (log injection, CWE-117).
func (r redactor) text(s string) string {
	s = firstBytes(strings.ToValidUTF8(s, "\uFFFD"), longestText)
	lower := strings.ToLower(s)
	for _, value := range r.forms() {
		prefix := firstBytes(value, valuePrefix)
		if prefix == "" || !strings.Contains(lower, strings.ToLower(prefix)) {
			continue
		}
		s = hide(s, value, prefix)
		lower = strings.ToLower(s)
	}
	return sanitize(s)
}

// forms returns the values, the options of lists, and both in the encodings in which a response may repeat them.
func (r redactor) forms() []string {
	var all []string
	add := func(value string) {
		all = append(all, value)
		encoded, _ := json.Marshal(value)
		for _, form := range []string{
			string(encoded[1 : len(encoded)-1]), html.EscapeString(value), url.QueryEscape(value), url.PathEscape(value),
		} {
			if form != value {
				all = append(all, form)
			}
		}
	}
	for _, value := range r {
		add(value)
		if options := strings.Split(value, ";"); len(options) > 1 {
			for _, option := range options {
				add(option)
			}
		}
	}
	return all
}

// hide replaces a value, or the part of it that a text contains, where it is a word of its own.
func hide(s, value, prefix string) string {
	form := regexp.MustCompile("(?i)" + regexp.QuoteMeta(prefix))
	var out strings.Builder
	for {
		at := form.FindStringIndex(s)
		if at == nil {
			return out.String() + s
		}
		end := at[1] + commonPrefix(s[at[1]:], value[len(prefix):])
		before, _ := utf8.DecodeLastRuneInString(s[:at[0]])
		after, _ := utf8.DecodeRuneInString(s[end:])
		if isWord(before) && at[0] > 0 || isWord(after) && len(prefix) == len(value) {
			_, n := utf8.DecodeRuneInString(s[at[0]:])
			out.WriteString(s[:at[0]+n])
			s = s[at[0]+n:]
			continue
		}
		out.WriteString(s[:at[0]] + "<value>")
		s = s[end:]
	}
}

// firstBytes returns at most the first n bytes of s. It does not split a character.
func firstBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// isWord reports whether a character continues a word. Addresses are removed as a whole.
func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '@' }

func commonPrefix(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

var (
	addressForm = regexp.MustCompile(`[^\s@"'<>\[\](){},;:]+(?:@|%40)[^\s@"'<>\[\](){},;:]+`)
	keyForm     = regexp.MustCompile(`pat-[a-z0-9]+-[0-9A-Za-z-]+`)
)

// sanitize makes a text short, one line, and removes e-mail addresses and tokens.
func sanitize(s string) string {
	s = setting.Truncate(s, 4*maxMessage)
	s = keyForm.ReplaceAllString(addressForm.ReplaceAllString(clean(s, false), "<e-mail>"), "<key>")
	return setting.Truncate(s, maxMessage)
}
