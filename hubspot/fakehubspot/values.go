package fakehubspot

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// violation is one invalid value, in the form that HubSpot embeds in messages.
type violation struct {
	IsValid bool   `json:"isValid"`
	Message string `json:"message"`
	Error   string `json:"error"`
	Name    string `json:"name"`
}

func invalid(bad []violation) *problem {
	list, _ := json.Marshal(bad)
	p := &problem{Message: "Property values were not valid: " + string(list), Category: "VALIDATION_ERROR"}
	for _, v := range bad {
		p.Errors = append(p.Errors, detail{Message: v.Message, Code: v.Error,
			Context: map[string][]string{"propertyName": {v.Name}}})
	}
	return p
}

// check returns what is wrong with the values of properties.
func (s *schema) check(properties map[string]string) []violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	var bad []violation
	for name, value := range properties {
		p, ok := s.byName[name]
		switch {
		case !ok || p.Archived:
			bad = append(bad, violation{Name: name, Error: "PROPERTY_DOESNT_EXIST",
				Message: fmt.Sprintf("Property %q does not exist", name)})
		case p.Calculated || p.Modification != nil && p.Modification.ReadOnlyValue:
			bad = append(bad, violation{Name: name, Error: "READ_ONLY_VALUE",
				Message: fmt.Sprintf("%q is a read only property", name)})
		case value != "":
			if code := p.fault(value); code != "" {
				bad = append(bad, violation{Name: name, Error: code,
					Message: fmt.Sprintf("%q was not valid for %s", truncate(value), name)})
			}
		}
	}
	slices.SortFunc(bad, func(a, b violation) int { return strings.Compare(a.Name, b.Name) })
	return bad
}

var (
	isoTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$`)
	decimal = regexp.MustCompile(`^-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$`)
	ownerID = regexp.MustCompile(`^[1-9]\d{0,18}$`)
)

// fault returns the code of HubSpot's error for an invalid value, or "".
func (p Property) fault(value string) string {
	if p.Refuses != "" && strings.Contains(value, p.Refuses) {
		return "FAILED_VALIDATION_RULE"
	}
	switch p.Type {
	case "number":
		if !decimal.MatchString(value) {
			return "INVALID_LONG"
		}
	case "bool":
		if value != "true" && value != "false" {
			return "INVALID_OPTION"
		}
	case "date", "datetime":
		if !p.isTime(value) {
			return "INVALID_DATE"
		}
	case "enumeration":
		return p.optionFault(value)
	default:
		if p.Name == "email" && !isEmail(value) {
			return "INVALID_EMAIL"
		}
		if len([]rune(value)) > 65536 {
			return "INVALID_STRING_LENGTH"
		}
	}
	return ""
}

// isTime reports whether a value is a date, or a point in time if the property is a datetime.
func (p Property) isTime(value string) bool {
	ms, err := strconv.ParseInt(value, 10, 64)
	_, notDate := time.Parse(time.DateOnly, value)
	if p.Type == "date" {
		return notDate == nil || err == nil && ms%86_400_000 == 0
	}
	if err == nil {
		return true
	}
	_, notDate = time.Parse(time.DateOnly, value[:min(len(value), 10)])
	return isoTime.MatchString(value) && notDate == nil
}

func (p Property) optionFault(value string) string {
	if p.ExternalOptions {
		if !ownerID.MatchString(value) {
			return "INVALID_OPTION"
		}
		return ""
	}
	values := []string{value}
	if p.FieldType == "checkbox" {
		values = strings.Split(strings.TrimPrefix(value, ";"), ";")
	}
	for _, v := range values {
		if !slices.ContainsFunc(p.Options, func(o Option) bool { return o.Value == v }) {
			return "INVALID_OPTION"
		}
	}
	return ""
}

// isEmail reports whether HubSpot takes a text as an address. A domain with other characters than ASCII must be in its
// ASCII form.
func isEmail(text string) bool {
	a, err := mail.ParseAddress(text)
	ascii := !strings.ContainsFunc(text, func(r rune) bool { return r > 127 })
	return err == nil && ascii && a.Address == text && strings.Contains(text[strings.LastIndexByte(text, '@'):], ".")
}

// truncate shortens a text for messages and the page of contacts.
func truncate(text string) string {
	if len(text) > 80 {
		return text[:80] + "..."
	}
	return text
}
