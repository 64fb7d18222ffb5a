package crm

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"
)

// Input is one contact of an upsert.
type Input struct {
	Email      string // as EmailKey returns it
	TraceID    string // names the input in HubSpot's response
	Properties map[string]string
	Planned    []string // further values of the person, which errors must not repeat either
}

// Outcome is HubSpot's result for one contact of a batch: it was written, or Err is the reason why not.
type Outcome struct {
	ContactID string
	Created   bool      // HubSpot created the contact in this call
	CreatedAt time.Time // when HubSpot created it; zero if the response does not say
	Err       *APIError
}

type wireInput struct {
	ID         string            `json:"id"`
	IDProperty string            `json:"idProperty"`
	TraceID    string            `json:"objectWriteTraceId"`
	Properties map[string]string `json:"properties"`
}

// values returns the addresses and values of all inputs.
func values(inputs []Input) (sent []string) {
	for _, in := range inputs {
		sent = append(append(sent, in.Email), in.Planned...)
		for _, value := range in.Properties {
			sent = append(sent, value)
		}
	}
	return sent
}

func wireInputs(inputs []Input) []wireInput {
	list := make([]wireInput, len(inputs))
	for i, in := range inputs {
		list[i] = wireInput{ID: in.Email, IDProperty: "email", TraceID: in.TraceID, Properties: in.Properties}
	}
	return list
}

// parseUpsert returns the outcome of each input by trace id. A 2xx status alone proves nothing: err is about the inputs
// that the response does not mention, and they are sent again.
func parseUpsert(body []byte, inputs []Input, sent redactor) (map[string]Outcome, error) {
	var w wireBatch
	err := decodeResponse(body, &w) // after a member of a wrong type, the others are still decoded
	if w.Results == nil && len(w.Errors) == 0 {
		return nil, sent.hide(cmp.Or(err, missingMember("results")))
	}
	found := make(map[string]Outcome, len(inputs))
	byTrace, byKey := map[string]bool{}, map[string]string{}
	for _, in := range inputs {
		byTrace[in.TraceID] = true
		byKey[in.Email] = in.TraceID
	}
	for _, c := range w.Results {
		trace := c.TraceID
		if !byTrace[trace] {
			trace = byKey[c.contact().Email()]
		}
		if trace == "" && len(inputs) == 1 {
			trace = inputs[0].TraceID
		}
		if trace != "" && c.ID != "" {
			found[trace] = Outcome{ContactID: string(c.ID), Created: c.New, CreatedAt: c.createdAt()}
		}
	}
	return found, assignErrors(found, w.Errors, inputs, sent)
}

// assignErrors assigns the errors inside a 2xx response to the inputs they name. An error that names no input is about
// the inputs that the response does not mention, and is returned if there are several.
func assignErrors(found map[string]Outcome, errs []wireError, inputs []Input, sent redactor) error {
	unassigned := Unanswered(errNotMentioned)
	for _, w := range errs {
		e := w.apiError(w.httpStatus(), sent)
		switch e.Status {
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
			e.retryable = true
		}
		named := false
		for _, in := range inputs {
			if _, written := found[in.TraceID]; !written && w.names(in) {
				found[in.TraceID], named = Outcome{Err: e}, true
			}
		}
		if !named {
			unassigned = e
		}
	}
	missing := slices.DeleteFunc(slices.Clone(inputs), func(in Input) bool {
		_, known := found[in.TraceID]
		return known
	})
	switch len(missing) {
	case 0:
		return nil
	case 1:
		found[missing[0].TraceID] = Outcome{Err: unassigned}
		return nil
	}
	return unassigned
}

var errNotMentioned = errors.New("HubSpot's response does not mention this contact")

func (w wireError) names(in Input) bool {
	if w.ID != "" && (w.ID == in.TraceID || EmailKey(w.ID) == in.Email) {
		return true
	}
	for _, member := range []string{"objectWriteTraceId", "objectWriteTraceIds", "id", "ids", "email"} {
		for _, v := range contextValues(w.Context, member) {
			if v == in.TraceID || EmailKey(v) == in.Email {
				return true
			}
		}
	}
	return false
}
