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

// outcome is what HubSpot says about one contact of a batch: it is written, or err says why not.
type outcome struct {
	contactID string
	fresh     bool // HubSpot made the contact now
	createdAt time.Time
	err       *apiError
}

type wireObject struct {
	ID         string             `json:"id"`
	New        bool               `json:"new"`
	Properties map[string]*string `json:"properties"`
	CreatedAt  time.Time          `json:"createdAt"`
	TraceID    string             `json:"objectWriteTraceId"`
}

type wireBatch struct {
	Status  string       `json:"status"`
	Results []wireObject `json:"results"`
	Errors  []wireError  `json:"errors"`
}

func (o wireObject) property(name string) string {
	if v := o.Properties[name]; v != nil {
		return *v
	}
	return ""
}

var errGarbage = errors.New("the answer is not what HubSpot's API promises")

// parseUpsert tells apart what became of every input. A 2xx alone proves nothing: an input that the answer does not mention has no
// outcome, and is sent again.
func parseUpsert(body []byte, inputs []upsertInput) (map[string]outcome, error) {
	var w wireBatch
	if err := json.Unmarshal(body, &w); err != nil || w.Results == nil && len(w.Errors) == 0 {
		return nil, errGarbage
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
			found[trace] = outcome{contactID: o.ID, fresh: o.New, createdAt: o.CreatedAt}
		}
	}
	blame(found, w.Errors, inputs)
	return found, nil
}

// blame finds the inputs that the errors inside a 2xx speak of. An error that names no input is about those that nothing was said of.
func blame(found map[string]outcome, errs []wireError, inputs []upsertInput) {
	var nameless *apiError
	for _, w := range errs {
		e := w.apiError(statusOf(w))
		named := false
		for _, in := range inputs {
			if _, written := found[in.TraceID]; !written && w.names(in) {
				found[in.TraceID], named = outcome{err: e}, true
			}
		}
		if !named {
			nameless = e
		}
	}
	if nameless == nil {
		return
	}
	var silent []string
	for _, in := range inputs {
		if _, known := found[in.TraceID]; !known {
			silent = append(silent, in.TraceID)
		}
	}
	if len(silent) == 1 { // with more than one it cannot be told whose error it is
		found[silent[0]] = outcome{err: nameless}
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

// statusOf is the HTTP status that an error inside a batch stands for.
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
	case "CONFLICT":
		return http.StatusConflict
	case "OBJECT_NOT_FOUND":
		return http.StatusNotFound
	case "RATE_LIMITS", "RATE_LIMIT":
		return http.StatusTooManyRequests
	case "INTERNAL_ERROR", "SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE":
		return http.StatusInternalServerError
	case "LOCKED", "OBJECT_LOCKED":
		return http.StatusLocked
	}
	return http.StatusBadRequest
}

// additionalEmails is HubSpot's list of a contact's further addresses, which find it as well as the first one does.
const additionalEmails = "hs_additional_emails"

// parseRead returns the contacts of a batch read.
func parseRead(body []byte) ([]wireObject, error) {
	var w wireBatch
	if err := json.Unmarshal(body, &w); err != nil || w.Results == nil {
		return nil, errGarbage
	}
	return w.Results, nil
}

// addresses are all e-mail addresses of a contact, the first one first.
func (o wireObject) addresses() []string {
	list := []string{emailKey(o.property("email"))}
	for _, email := range strings.Split(o.property(additionalEmails), ";") {
		if key := emailKey(email); key != "" {
			list = append(list, key)
		}
	}
	return list
}

func (o wireObject) answersTo(key string) bool { return slices.Contains(o.addresses(), key) }

func byAddress(list []wireObject) map[string]wireObject {
	found := make(map[string]wireObject, len(list))
	for _, o := range list {
		for _, key := range o.addresses() {
			found[key] = o
		}
	}
	return found
}
