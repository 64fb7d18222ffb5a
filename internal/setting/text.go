package setting

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Number returns a number with separators, such as 12,000.
func Number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Count returns a number with its noun, in the plural unless it is 1.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Number(n) + " " + noun + "s"
}

// Truncate returns text, or the first n bytes of a longer text and "...". It does not split a character; invalid UTF-8
// is left out of what it cuts.
func Truncate(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "..."
}

// Shorten truncates a word of the configuration or of a command line for a message.
func Shorten(text string) string { return Truncate(text, 60) }

// Lower returns a text in lower case. Characters outside ASCII never become ASCII characters, as the Kelvin sign would:
// one person's address would become another's (CWE-178).
func Lower(s string) string {
	return strings.Map(func(r rune) rune {
		if lower := unicode.ToLower(r); r < utf8.RuneSelf || lower >= utf8.RuneSelf {
			return lower
		}
		return r
	}, s)
}
