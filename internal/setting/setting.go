// Package setting holds what every Config of hubgate is made of: values that a person writes into the YAML file
// (Duration, Size, Secret, Words), and Problem, the form in which a Config says what is wrong with it.
//
// The types decode from one scalar (a Word); none of them wraps a struct, so the loader's strictness reaches every key.
// It imports nothing of hubgate.
package setting

import (
	"strconv"
	"strings"
)

// None is the word for "not wanted". YAML's off, no and false are taken for it, but only where it is listed as a value.
const None = "none"

// A Word is a value that one YAML scalar can stand for. SetWord is called with the text of the scalar, after ${...} has
// been expanded. Structs and lists implement it too where a scalar is allowed in place of the whole mapping or list
// (a rule's path, trusted_proxies, login_rate: none, a property's claim).
type Word interface {
	SetWord(text string) error
}

// Invalid is what SetWord returns for a text that it cannot take: what is wrong and what to write instead.
type Invalid struct {
	Text string // "30 is not a duration"
	Cure string // "write a number with a unit, such as 30s"
}

func (e *Invalid) Error() string { return e.Text + "; " + e.Cure }

// A Problem is one thing wrong with a configuration. Key names the place as the loader prints it, such as
// proxy.rules[2].claims["custom:tier"]; list indices count from 0.
type Problem struct {
	Key     string
	Text    string // what is wrong
	Cure    string // what to write instead
	Warning bool   // probably wrong, but it can work
}

// IsNone tells whether text is the word none or one of the YAML words taken for it.
func IsNone(text string) bool {
	switch text {
	case None, "off", "Off", "OFF", "no", "No", "NO", "false", "False", "FALSE":
		return true
	}
	return false
}

// Join names a key below another as the loader prints it: behind a dot when it is a word, else in brackets.
func Join(parent, name string) string {
	const word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-<"
	switch {
	case strings.Trim(name, word) != "" || name == "":
		return parent + "[" + strconv.Quote(shortened(name)) + "]"
	case parent == "":
		return shortened(name)
	}
	return parent + "." + shortened(name)
}

// shortened bounds what a file can put into a message.
func shortened(name string) string {
	const limit = 60
	if len(name) > limit {
		return strings.ToValidUTF8(name[:limit], "") + "..."
	}
	return name
}
