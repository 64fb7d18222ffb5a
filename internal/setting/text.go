package setting

import (
	"fmt"
	"strings"
)

// Count returns a number with its noun, in the plural unless it is 1.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
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
