package crm

import (
	"regexp"
	"strings"
)

// Drop is a value, or a part of one, that cannot reach HubSpot.
type Drop struct {
	Property string
	Reason   Reason
	Detail   string // in words, instead of the reason's sentence; never a value of a person
	Partial  bool   // the rest of the value is written
}

// Reason is why a value cannot reach HubSpot. It is a label of a metric, so there are no others than these.
type Reason string

// The reasons.
const (
	NoSuchProperty Reason = "no_such_property"
	ReadOnly       Reason = "read_only"
	NotAnOption    Reason = "not_an_option"
	WrongType      Reason = "wrong_type"
	TooLong        Reason = "too_long"
	NotText        Reason = "not_text"
	NotUnique      Reason = "not_unique"
	NoRead         Reason = "no_read"
	Rejected       Reason = "rejected"
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{
		NoSuchProperty, ReadOnly, NotAnOption, WrongType, TooLong, NotText, NotUnique, NoRead, Rejected,
	}
}

// Sentence returns the reason in words, for operators.
func (r Reason) Sentence() string {
	switch r {
	case NoSuchProperty:
		return "no such property in HubSpot (hubgate contacts setup creates it)"
	case ReadOnly:
		return "the property is read-only in HubSpot"
	case NotAnOption:
		return "not an option of the property"
	case WrongType:
		return "does not fit the type of the property"
	case TooLong:
		return "too long; shortened"
	case NotText:
		return "the claim is an object, not a text"
	case NotUnique:
		return "another contact has this value, which must be unique"
	case NoRead:
		return "the token cannot read contacts (scope crm.objects.contacts.read), so the property may have a value"
	}
	return "HubSpot rejects the value"
}

// IsHubSpots reports whether only HubSpot creates properties of this name.
func IsHubSpots(property string) bool { return strings.HasPrefix(property, "hs_") }

// Text returns why the value cannot reach HubSpot, in words.
func (d Drop) Text() string {
	switch {
	case d.Detail != "":
		return d.Detail
	case d.Reason == NoSuchProperty && IsHubSpots(d.Property):
		return "HubSpot has no such property; correct the name: only HubSpot creates properties that begin with hs_"
	}
	return d.Reason.Sentence()
}

// codeForm matches HubSpot's codes, such as INVALID_OPTION. Any other text could contain the value that was sent.
var codeForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{2,60}$`)

// rejection returns the drop for a property that HubSpot rejected with a code.
func rejection(property, code string) Drop {
	d := Drop{Property: property, Reason: Rejected}
	switch code {
	case "PROPERTY_DOESNT_EXIST":
		d.Reason = NoSuchProperty
	case "READ_ONLY_VALUE", "READ_ONLY_PROPERTY":
		d.Reason = ReadOnly
	default:
		if codeForm.MatchString(code) {
			d.Detail = Rejected.Sentence() + ": " + code
		}
	}
	return d
}
