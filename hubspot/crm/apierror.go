package crm

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// APIError is an error response of HubSpot, for a whole call or for one contact of a batch.
type APIError struct {
	Status        int
	Category      string
	Message       string // as redactor prepares it
	Policy        string // of a 429: the limit that was exceeded
	RetryAfter    time.Duration
	BadProperties []Drop   // the properties that HubSpot rejected
	Required      []string // the properties that HubSpot requires and did not get
	Scopes        []string // of a 403: the scopes that the token lacks
	Existing      string   // of a 409: the id of the contact that already has the value
	retryable     bool     // for one contact: the call may succeed later, regardless of the status
	fromHubSpot   bool     // the body is an error of HubSpot, not of a firewall or proxy before it
	probed        probed   // what a probe after the call has shown
}

// probed is what a probe shows about a failed call.
type probed int

const (
	notProbed    probed = iota
	callsFail           // HubSpot fails whatever a call is about
	contentFails        // HubSpot answers, so the failure is about what the call contained
)

func (e *APIError) Error() string {
	text := strconv.Itoa(e.Status)
	for _, part := range []string{e.Policy, e.Category, e.Message} {
		if part != "" {
			text += " " + part
		}
	}
	for _, b := range e.BadProperties {
		text += fmt.Sprintf(" (%s: %s)", b.Property, b.Text())
	}
	if len(e.Required) > 0 {
		text += fmt.Sprintf(" (required: %s)", strings.Join(e.Required, ", "))
	}
	if len(e.Scopes) > 0 {
		text += fmt.Sprintf(" (missing scopes: %s)", strings.Join(e.Scopes, ", "))
	}
	return text
}

// StatusMigration is HubSpot's own status for an account that is being migrated.
const StatusMigration = 477

// Transient reports whether the same call may succeed later.
func (e *APIError) Transient() bool {
	if e.retryable {
		return true
	}
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests, StatusMigration:
		return true
	}
	return e.Status >= 500 || e.Status < 400 // a redirect is not an answer
}

// ForAllContacts returns the rejected properties that HubSpot rejects for every contact, whatever their values.
func (e *APIError) ForAllContacts() (list []Drop) {
	for _, b := range e.BadProperties {
		if b.Reason != Rejected {
			list = append(list, b)
		}
	}
	return list
}

// AboutContacts reports whether HubSpot rejected the contacts that were sent, not the call itself.
func (e *APIError) AboutContacts() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return true
	}
	return false
}

// AboutCalls reports whether HubSpot rejects every call for now, whatever it is about. What a firewall or proxy before
// HubSpot responds may depend on what one visitor wrote.
func (e *APIError) AboutCalls() bool {
	if e.probed != notProbed {
		return e.probed == callsFail
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return e.fromHubSpot
	case http.StatusTooManyRequests, StatusMigration:
		return e.fromHubSpot || e.RetryAfter > 0
	}
	return e.LacksScopes()
}

// AboutAllCalls returns the error of a probe, which is about nothing but HubSpot itself.
func (e *APIError) AboutAllCalls() *APIError {
	if e != nil {
		e.probed = callsFail
	}
	return e
}

// AboutContent returns the error of a call after which HubSpot accepted a probe.
func (e *APIError) AboutContent() *APIError {
	e.probed = contentFails
	return e
}

// LacksScopes reports whether the token lacks scopes, which HubSpot names.
func (e *APIError) LacksScopes() bool { return e.Status == http.StatusForbidden && len(e.Scopes) > 0 }

// Unanswered returns the error of a call, or of a contact, that got no usable response from HubSpot.
func Unanswered(failure error) *APIError {
	return &APIError{Status: http.StatusBadGateway, Message: sanitize(failure.Error())}
}

// Refused returns the status of HubSpot's error and the missing scopes that it names, or 0 if HubSpot did not respond.
func Refused(err error) (status int, scopes []string) {
	var e *APIError
	if !errors.As(err, &e) {
		return 0, nil
	}
	return e.Status, e.Scopes
}

// existingForm matches HubSpot's message with the id of the conflicting contact. In any other message, the id may be
// part of a value that HubSpot repeats, with which a visitor names the contact of another person.
var existingForm = regexp.MustCompile(`(?i)^contact already exists\W+existing id:?\s*([0-9]{1,20})`)
