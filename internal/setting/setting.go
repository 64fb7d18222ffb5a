package setting

import (
	"strconv"
	"strings"
)

// None disables a setting. YAML's off, no and false are accepted for it, but only where none is a valid value.
const None = "none"

// A Word is a value that one YAML scalar can represent. SetWord receives the text of the scalar after ${...} was
// expanded. Structs and lists implement it where a scalar may replace the whole mapping or list (a rule's path,
// trusted_proxies, login_rate: none, a property's claim).
type Word interface {
	SetWord(text string) error
}

// Invalid is the error of SetWord for an invalid value.
type Invalid struct {
	Text string // what is wrong: "30 is not a duration"
	Cure string // what to do: "write a number with a unit, such as 30s"
}

func (e *Invalid) Error() string { return e.Text + "; " + e.Cure }

// A Problem is one mistake in a configuration. Key is the path as the loader prints it, such as
// proxy.rules[2].claims["custom:tier"]; list indices start at 0.
type Problem struct {
	Key     string
	Text    string // what is wrong
	Cure    string // what to do
	Warning bool   // probably a mistake, but not an error
	// Either is a key that would do in place of others, if Key is their section: when it is in the file without a value,
	// the problem is there.
	Either [3]string
}

// Mistake returns one error, as the result of a check.
func Mistake(key, text, cure string) []Problem { return []Problem{{Key: key, Text: text, Cure: cure}} }

// Problems collects the problems of a section.
type Problems []Problem

// Add adds an error.
func (p *Problems) Add(key, text, cure string) { *p = append(*p, Mistake(key, text, cure)...) }

// Warn adds a warning.
func (p *Problems) Warn(key, text, cure string) {
	*p = append(*p, Problem{Key: key, Text: text, Cure: cure, Warning: true})
}

// HasPlaceholder reports whether a value still contains a placeholder of the example configuration, such as
// REPLACE_HUB_ID.
func HasPlaceholder(text string) bool { return strings.Contains(text, "REPLACE_") }

// IsNone reports whether text is none or one of the YAML words accepted for it.
func IsNone(text string) bool {
	switch text {
	case None, "off", "Off", "OFF", "no", "No", "NO", "false", "False", "FALSE":
		return true
	}
	return false
}

// Join returns the path of a key as the loader prints it: after a dot if it is a plain word, else in brackets.
func Join(parent, name string) string {
	const word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-<"
	switch {
	case strings.Trim(name, word) != "" || name == "":
		return parent + "[" + strconv.Quote(Shorten(name)) + "]"
	case parent == "":
		return Shorten(name)
	}
	return parent + "." + Shorten(name)
}
