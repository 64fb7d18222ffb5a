package crm

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// BadProperty is a property that HubSpot rejected, and why.
type BadProperty struct{ Name, Reason string }

// violation is a rejected value as listed in the text of a message.
type violation struct {
	Name    string `json:"name"`
	Error   string `json:"error"`
	Message string `json:"message"`
}

// quotedForm matches a quoted property name in a message.
var quotedForm = regexp.MustCompile(`["'\x60]([a-z][a-z0-9_]*)["'\x60]`)

func (e *APIError) addBad(name, reason string) {
	known := slices.ContainsFunc(e.BadProperties, func(b BadProperty) bool { return b.Name == name })
	if known || !IsPropertyName(name) {
		return
	}
	e.BadProperties = append(e.BadProperties, BadProperty{Name: name, Reason: sanitize(reason)})
}

// addFromMessage reads the JSON list in a message such as "Property values were not valid: [...]".
func (e *APIError) addFromMessage(message string) {
	_, list, found := strings.Cut(message, "[")
	if !found {
		return
	}
	var violations []violation
	if json.NewDecoder(strings.NewReader("["+list)).Decode(&violations) == nil {
		e.addViolations(violations)
	}
}

func (e *APIError) addViolations(violations []violation) {
	for _, v := range violations {
		reason := v.Error
		if reason == "" {
			reason = v.Message
		}
		e.addBad(v.Name, reason)
	}
}

// addQuoted handles messages that name a property only in words: Property "x" does not exist. A quoted word that is not
// a property of the call does no harm, because it was not sent.
func (e *APIError) addQuoted(w wireError) {
	messages := []string{w.Message}
	for _, d := range w.Errors {
		messages = append(messages, d.Message)
	}
	for _, message := range messages {
		for _, m := range quotedForm.FindAllStringSubmatch(setting.Truncate(message, 4*maxMessage), -1) {
			e.addBad(m[1], w.Category)
		}
	}
}

// lastPart returns the property in a path such as inputs[0].properties.firstname.
func lastPart(place string) string { return place[strings.LastIndexByte(place, '.')+1:] }

// ForAllContacts reports whether the property itself is at fault, regardless of the value and the contact.
func (b BadProperty) ForAllContacts() bool {
	switch b.Reason {
	case "PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE", "READ_ONLY_PROPERTY":
		return true
	}
	reason := strings.ToLower(b.Reason)
	return strings.Contains(reason, "does not exist") || strings.Contains(reason, "read only")
}

// ForAllContacts returns the part of the error that applies to every contact of the call, or nil if there is none.
func (e *APIError) ForAllContacts() *APIError {
	part := *e
	part.BadProperties = slices.DeleteFunc(slices.Clone(e.BadProperties), func(b BadProperty) bool {
		return !b.ForAllContacts()
	})
	if len(part.BadProperties) == 0 {
		return nil
	}
	return &part
}
