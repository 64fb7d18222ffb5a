package hubspot

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// outcome is HubSpot's result for one contact of a batch: it was written, or err says why not.
type outcome struct {
	contactID string
	created   bool // HubSpot created the contact in this call
	createdAt time.Time
	err       *apiError
}

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

type wireObject struct {
	ID         flexString            `json:"id"`
	New        bool                  `json:"new"`
	Properties map[string]flexString `json:"properties"`
	CreatedAt  flexString            `json:"createdAt"`
	TraceID    string                `json:"objectWriteTraceId"`
}

type wireBatch struct {
	Results []wireObject `json:"results"`
	Errors  []wireError  `json:"errors"`
}

func (o wireObject) property(name string) string { return string(o.Properties[name]) }

// created returns when HubSpot created the contact, or zero if the response does not say.
func (o wireObject) created() time.Time {
	at, _ := parseTime(string(o.CreatedAt))
	return at
}

var errUnexpectedResponse = errors.New("unexpected HubSpot response")

// parseUpsert returns the outcome of each input by trace id. A 2xx status alone proves nothing: an input that the
// response does not mention has no outcome and is sent again.
func parseUpsert(body []byte, inputs []upsertInput) (map[string]outcome, error) {
	var w wireBatch
	var typeErr *json.UnmarshalTypeError
	err := json.Unmarshal(body, &w)
	if err != nil && !errors.As(err, &typeErr) || w.Results == nil && len(w.Errors) == 0 {
		return nil, errUnexpectedResponse
	}
	found := make(map[string]outcome, len(inputs))
	byTrace, byKey := map[string]bool{}, map[string]string{}
	for _, in := range inputs {
		byTrace[in.TraceID] = true
		byKey[in.ID] = in.TraceID
	}
	for _, o := range w.Results {
		trace := o.TraceID
		if !byTrace[trace] {
			trace = byKey[emailKey(o.property("email"))]
		}
		if trace == "" && len(inputs) == 1 {
			trace = inputs[0].TraceID
		}
		if trace != "" && o.ID != "" {
			found[trace] = outcome{contactID: string(o.ID), created: o.New, createdAt: o.created()}
		}
	}
	assignErrors(found, w.Errors, inputs)
	return found, nil
}

// assignErrors assigns the errors inside a 2xx response to the inputs they name. An error that names no input is about
// an input that the response does not mention.
func assignErrors(found map[string]outcome, errs []wireError, inputs []upsertInput) {
	var unassigned *apiError
	for _, w := range errs {
		e := w.apiError(statusOf(w))
		switch e.Status {
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
			e.retryable = true
		}
		named := false
		for _, in := range inputs {
			if _, written := found[in.TraceID]; !written && w.names(in) {
				found[in.TraceID], named = outcome{err: e}, true
			}
		}
		if !named {
			unassigned = e
		}
	}
	if unassigned == nil {
		return
	}
	var missing []string
	for _, in := range inputs {
		if _, known := found[in.TraceID]; !known {
			missing = append(missing, in.TraceID)
		}
	}
	if len(missing) == 1 { // with several, the error could be about any of them
		found[missing[0]] = outcome{err: unassigned}
	}
}

func (w wireError) names(in upsertInput) bool {
	if w.ID != "" && (w.ID == in.TraceID || emailKey(w.ID) == in.ID) {
		return true
	}
	for _, member := range []string{"objectWriteTraceId", "objectWriteTraceIds", "id", "ids", "email"} {
		for _, v := range contextValues(w.Context, member) {
			if v == in.TraceID || emailKey(v) == in.ID {
				return true
			}
		}
	}
	return false
}

// statusOf returns the HTTP status that an error inside a batch corresponds to.
func statusOf(w wireError) int {
	switch v := w.Status.(type) {
	case float64:
		if v >= 400 && v < 600 {
			return int(v)
		}
	case string:
		if n, err := strconv.Atoi(v); err == nil && n >= 400 && n < 600 {
			return n
		}
	}
	switch w.Category {
	case "CONFLICT", "OBJECT_ALREADY_EXISTS":
		return http.StatusConflict
	case "OBJECT_NOT_FOUND", "NOT_FOUND":
		return http.StatusNotFound
	case "INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION":
		return http.StatusUnauthorized
	case "MISSING_SCOPES", "FORBIDDEN", "BANNED":
		return http.StatusForbidden
	case "RATE_LIMITS", "RATE_LIMIT":
		return http.StatusTooManyRequests
	case "INTERNAL_ERROR", "SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE":
		return http.StatusInternalServerError
	case "LOCKED", "OBJECT_LOCKED":
		return http.StatusLocked
	}
	return http.StatusBadRequest
}

// additionalEmails is the property with a contact's secondary addresses. HubSpot finds a contact by them as well as by
// its primary one.
const additionalEmails = "hs_additional_emails"

// parseRead returns the contacts of a batch read. A contact that is missing from the response does not exist, unless
// HubSpot failed to look it up: then the whole read fails. (An id that HubSpot rejects as an invalid address belongs to
// no contact.)
func parseRead(body []byte) ([]wireObject, error) {
	var w wireBatch
	if err := json.Unmarshal(body, &w); err != nil || w.Results == nil {
		return nil, errUnexpectedResponse
	}
	for _, e := range w.Errors {
		missing := statusOf(e) == http.StatusNotFound || e.Category == "VALIDATION_ERROR" ||
			strings.Contains(e.Message, "not exist")
		if !missing {
			return nil, e.apiError(statusOf(e))
		}
	}
	return w.Results, nil
}

// emails returns all e-mail addresses of a contact, the primary one first.
func (o wireObject) emails() []string {
	list := []string{emailKey(o.property("email"))}
	for _, email := range strings.Split(o.property(additionalEmails), ";") {
		if key := emailKey(email); key != "" {
			list = append(list, key)
		}
	}
	return list
}

func (o wireObject) hasEmail(key string) bool { return slices.Contains(o.emails(), key) }

func byEmail(list []wireObject) map[string]wireObject {
	found := make(map[string]wireObject, len(list))
	for _, o := range list {
		for _, key := range o.emails() {
			found[key] = o
		}
	}
	return found
}
