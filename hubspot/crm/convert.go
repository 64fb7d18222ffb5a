package crm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
)

// Value is a value before its conversion to a property's type.
type Value struct {
	Texts []string  // several for a list; empty = the property is cleared
	At    time.Time // set if it is a time
}

// Text returns a value of one text.
func Text(s string) Value { return Value{Texts: []string{s}} }

// Time returns the value of a time.
func Time(at time.Time) Value {
	return Value{Texts: []string{at.UTC().Format(isoMillis)}, At: at.UTC()}
}

const (
	isoMillis = "2006-01-02T15:04:05.000Z"
	maxText   = 65536 // characters of a text property
)

// Convert makes a value valid for its property. drop says what cannot be written, if its Reason is set. untrusted
// values come from people, not from the operator: drop never contains them.
func (s Schema) Convert(name string, v Value, untrusted bool) (value string, drop Drop) {
	if reason := s.Unwritable(name); reason != "" {
		return "", Drop{Property: name, Reason: reason}
	}
	if len(v.Texts) == 0 { // it is cleared
		return "", Drop{}
	}
	value, drop = s[name].convert(v, untrusted)
	if drop.Reason != "" {
		drop.Property = name
	}
	return value, drop
}

func (p Property) convert(v Value, untrusted bool) (value string, drop Drop) {
	misfit := ""
	switch p.Type {
	case "number":
		value, misfit = numberValue(v)
	case "bool":
		value, misfit = boolValue(v)
	case "date", "datetime":
		value, misfit = timeValue(v, p.Type)
	case "enumeration":
		if !p.ExternalOptions {
			return p.optionValue(v, untrusted)
		}
		return textValue(v, p, false)
	default:
		return textValue(v, p, untrusted)
	}
	if misfit == "" {
		return value, Drop{}
	}
	if !untrusted {
		misfit = fmt.Sprintf("%q is %s", setting.Shorten(strings.Join(v.Texts, ";")), misfit)
	}
	return "", Drop{Reason: WrongType, Detail: misfit}
}

// plainNumber matches numbers as HubSpot accepts them: digits with at most one dot.
var plainNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

const largestNumber = 1e15 // above it floats are inexact, and a number is probably an id

func numberValue(v Value) (string, string) {
	n := strings.TrimPrefix(strings.TrimSpace(v.Texts[0]), "+")
	f, err := strconv.ParseFloat(n, 64)
	switch {
	case len(v.Texts) != 1 || err != nil || f != f || f-f != 0 || strings.ContainsAny(n, "xXpP_+"):
		return "", "not a number"
	case plainNumber.MatchString(n) && len(n) <= 32:
		return n, ""
	case f > largestNumber || f < -largestNumber:
		return "", "not a number that HubSpot can store"
	}
	return strconv.FormatFloat(f, 'f', -1, 64), ""
}

func boolValue(v Value) (string, string) {
	if len(v.Texts) == 1 {
		switch strings.ToLower(strings.TrimSpace(v.Texts[0])) {
		case "true", "1", "yes":
			return "true", ""
		case "false", "0", "no":
			return "false", ""
		}
	}
	return "", "neither true nor false"
}

var timeLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05",
	time.DateOnly, "2006/01/02", "20060102", "02.01.2006",
}

// timeValue parses the usual time formats, including Unix seconds and milliseconds. A date keeps the day that was
// written.
func timeValue(v Value, kind string) (string, string) {
	at, ok := v.At, !v.At.IsZero()
	if !ok && len(v.Texts) == 1 {
		at, ok = parseTime(strings.TrimSpace(v.Texts[0]))
	}
	if !ok || at.Year() < 1000 || at.Year() > 9999 {
		return "", "not a " + kind
	}
	if kind == "date" {
		return at.Format(time.DateOnly), ""
	}
	return at.UTC().Format(isoMillis), ""
}

// leastEpoch is in 1973. Smaller numbers are probably years, or dates without separators.
const leastEpoch = 100_000_000

func parseTime(s string) (time.Time, bool) {
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, s); err == nil {
			return at, true
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < leastEpoch {
		return time.Time{}, false
	}
	if n >= 100_000_000_000 { // as seconds this is the year 5138
		return time.UnixMilli(n).UTC(), true
	}
	return time.Unix(n, 0).UTC(), true
}

func textValue(v Value, p Property, untrusted bool) (string, Drop) {
	texts := make([]string, len(v.Texts))
	for i, t := range v.Texts {
		if texts[i] = clean(t, p.FieldType == "textarea"); len(v.Texts) > 1 {
			texts[i] = strings.ReplaceAll(texts[i], ";", ",") // ";" separates values
		}
	}
	joined := strings.Join(texts, ";")
	if untrusted && p.FieldType != "phonenumber" {
		joined = escapeFormula(joined)
	}
	if r := []rune(joined); len(r) > maxText {
		return string(r[:maxText]), Drop{Reason: TooLong, Partial: true}
	}
	return joined, Drop{}
}

// Printable returns the part of a text that can be stored: without control characters and surrounding space.
func Printable(s string) string { return clean(s, true) }

// clean removes control characters and bidirectional overrides, which disguise text in logs and in HubSpot (CWE-1007).
// Line breaks stay if lines is set.
func clean(s string, lines bool) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case lines && r == '\n':
			return r
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r) || r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069' || r == '\uFEFF':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// formulaCall matches what makes a text that begins with a sign or @ a formula: a function, or a command of DDE.
var formulaCall = regexp.MustCompile(`\pL\(|\|`)

// escapeFormula keeps a visitor's text from being run as a formula in a spreadsheet with exported contacts (CSV
// injection, CWE-1236). Numbers, telephone numbers and handles such as @ada are not formulas.
func escapeFormula(s string) string {
	switch first, _ := utf8.DecodeRuneInString(s); first {
	case '=', '＝':
		return "'" + s
	case '@', '+', '-', '＠', '＋', '－':
		if formulaCall.MatchString(s) {
			return "'" + s
		}
	}
	return s
}
