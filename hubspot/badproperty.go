package hubspot

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// badProperty is a property that made HubSpot refuse a contact.
type badProperty struct{ name, reason string }

// violation is a value that HubSpot will not take, as it stands in the text of a message.
type violation struct {
	Name    string `json:"name"`
	Error   string `json:"error"`
	Message string `json:"message"`
}

// quotedForm is a property in the words of a message.
var quotedForm = regexp.MustCompile(`["'\x60]([a-z][a-z0-9_]*)["'\x60]`)

func (e *apiError) addBad(name, reason string) {
	if !propertyForm.MatchString(name) || slices.ContainsFunc(e.BadProperties, func(b badProperty) bool { return b.name == name }) {
		return
	}
	e.BadProperties = append(e.BadProperties, badProperty{name: name, reason: sanitize(reason)})
}

// blameFromMessage reads the JSON list that HubSpot puts into the text "Property values were not valid: [...]".
func (e *apiError) addFromMessage(message string) {
	_, list, found := strings.Cut(message, "[")
	if !found {
		return
	}
	var violations []violation
	if json.NewDecoder(strings.NewReader("["+list)).Decode(&violations) == nil {
		e.addViolations(violations)
	}
}

func (e *apiError) addViolations(violations []violation) {
	for _, v := range violations {
		reason := v.Error
		if reason == "" {
			reason = v.Message
		}
		e.addBad(v.Name, reason)
	}
}

// blameQuoted is for messages that name a property in words only: Property "x" does not exist. A quoted word that is no property of
// the call does no harm: nobody sent it.
func (e *apiError) addQuoted(w wireError) {
	messages := []string{w.Message}
	for _, d := range w.Errors {
		messages = append(messages, d.Message)
	}
	for _, message := range messages {
		for _, m := range quotedForm.FindAllStringSubmatch(truncate(message, 4*maxMessage), -1) {
			e.addBad(m[1], w.Category)
		}
	}
}

// lastPart is the property in a place such as inputs[0].properties.firstname.
func lastPart(place string) string { return place[strings.LastIndexByte(place, '.')+1:] }

// universal tells that the property is at fault, whatever the value and whoever the contact.
func (b badProperty) forAllContacts() bool {
	switch b.reason {
	case "PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE", "READ_ONLY_PROPERTY":
		return true
	}
	reason := strings.ToLower(b.reason)
	return strings.Contains(reason, "does not exist") || strings.Contains(reason, "read only")
}

// universal is the part of a refusal that holds for every contact of a call; nil when nothing of it does.
func (e *apiError) forAllContacts() *apiError {
	part := *e
	part.BadProperties = slices.DeleteFunc(slices.Clone(e.BadProperties), func(b badProperty) bool { return !b.forAllContacts() })
	if len(part.BadProperties) == 0 {
		return nil
	}
	return &part
}
