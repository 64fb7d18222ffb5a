package openid

import (
	"regexp"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// SafeErrorCode returns an OAuth error code for a log line: a few words of lower-case letters, joined by underscores
// (RFC 6749, section 4.1.2.1, and OpenID Connect Core, section 3.1.2.6). It replaces anything else, which may be a
// secret (CWE-532).
func SafeErrorCode(code string) string {
	if len(code) > 48 || !errorWords.MatchString(code) {
		return "(not an error code)"
	}
	return code
}

var errorWords = regexp.MustCompile(`^[a-z]{2,16}(_[a-z]{2,16}){1,4}$`)

const (
	maxDescription = 200 // characters of an error_description that are logged
	maxWord        = 24  // characters of one word in it
)

// plainWord matches a word of a sentence, the name of a parameter, a number, or a code such as AADSTS50011. It does not
// match generated text.
var plainWord = regexp.MustCompile(
	`^['(]?(?:[A-Za-z]+(?:[_'.-][A-Za-z]+)*|[0-9]{1,6}|[A-Z]{1,8}[0-9]{1,9})[).,:;!?']*$`)

// cleanDescription makes a provider's error_description safe for a log line. The result is one line, without anything
// that may be an address, a code, a token or a secret (CWE-117, CWE-532).
func cleanDescription(text string) string {
	var words []string
	for _, word := range strings.Fields(text) {
		if len(word) > maxWord || !plainWord.MatchString(word) {
			word = "..."
		}
		if word != "..." || len(words) == 0 || words[len(words)-1] != word {
			words = append(words, word)
		}
	}
	return setting.Truncate(strings.Join(words, " "), maxDescription)
}
