package crm

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Contact is a contact as HubSpot returned it.
type Contact struct {
	ID         string // "" = there is no such contact
	properties map[string]property
}

// Property returns the value of a requested property.
func (c Contact) Property(name string) string { return c.properties[name].text }

// Has reports whether HubSpot said what the value of a property is, also if it is none. A property that does not exist
// is missing in HubSpot's answer.
func (c Contact) Has(name string) bool {
	value, sent := c.properties[name]
	return sent && !value.mistyped
}

// Email returns the primary e-mail address.
func (c Contact) Email() string { return EmailKey(c.Property("email")) }

// additionalEmails is the property with a contact's secondary addresses. HubSpot finds a contact by them as well as by
// its primary one.
const additionalEmails = "hs_additional_emails"

// emails returns all e-mail addresses, the primary one first.
func (c Contact) emails() []string {
	list := []string{c.Email()}
	for _, email := range strings.Split(c.Property(additionalEmails), ";") {
		if key := EmailKey(email); key != "" {
			list = append(list, key)
		}
	}
	return list
}

// HasEmail reports whether an address is one of the contact's.
func (c Contact) HasEmail(key string) bool { return slices.Contains(c.emails(), key) }

func byEmail(list []Contact) map[string]Contact {
	found := make(map[string]Contact, len(list))
	for _, c := range list {
		for _, key := range c.emails() {
			found[key] = c
		}
	}
	return found
}

// wireContact is a contact in a response.
type wireContact struct {
	ID         flexString          `json:"id"`
	New        bool                `json:"new"`
	Properties map[string]property `json:"properties"`
	TraceID    string              `json:"objectWriteTraceId"`
	CreatedAt  flexString          `json:"createdAt"`
	Archived   bool                `json:"archived"`
}

// createdAt returns when HubSpot created the contact, or zero.
func (w wireContact) createdAt() time.Time {
	at, _ := time.Parse(time.RFC3339, string(w.CreatedAt))
	return at
}

func (w wireContact) contact() Contact { return Contact{ID: string(w.ID), properties: w.Properties} }

// flexString is a string that HubSpot may also send as a number. A response about written contacts must be readable: a
// contact without a result is written again.
type flexString string

// UnmarshalJSON accepts strings and numbers; everything else becomes "".
func (l *flexString) UnmarshalJSON(raw []byte) error {
	var text string
	var number json.Number
	if json.Unmarshal(raw, &text) == nil {
		*l = flexString(text)
	} else if json.Unmarshal(raw, &number) == nil {
		*l = flexString(number)
	}
	return nil
}

// property is the value of a property: text, or "" for null.
type property struct {
	text     string
	mistyped bool // HubSpot sent something else, such as an object
}

// UnmarshalJSON accepts every type, as that of flexString does.
func (p *property) UnmarshalJSON(raw []byte) error {
	var text flexString
	err := text.UnmarshalJSON(raw)
	p.text, p.mistyped = string(text), text == "" && string(raw) != "null" && string(raw) != `""`
	return err
}

type wireBatch struct {
	Results []wireContact `json:"results"`
	Errors  []wireError   `json:"errors"`
}

// parseRead returns the contacts of a batch read. A contact that is missing from the response does not exist, unless
// HubSpot failed to look it up: then the whole read fails. (An id that HubSpot rejects as an invalid address belongs to
// no contact.)
func parseRead(body []byte, sent redactor) ([]Contact, error) {
	var w wireBatch
	err := decodeResponse(body, &w)
	if err == nil && w.Results == nil {
		err = missingMember("results")
	}
	if err != nil {
		return nil, sent.hide(err)
	}
	for _, e := range w.Errors {
		missing := e.httpStatus() == http.StatusNotFound || e.Category == "VALIDATION_ERROR" ||
			strings.Contains(e.Message, "not exist")
		if !missing {
			return nil, e.apiError(e.httpStatus(), sent)
		}
	}
	list := make([]Contact, len(w.Results))
	for i, c := range w.Results {
		list[i] = c.contact()
	}
	return list, nil
}
