package crm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// batchAnswer is an answer to a batch read. HubSpot counts its errors, and may omit them.
type batchAnswer[R any] struct {
	Status    string      `json:"status"`
	NumErrors int         `json:"numErrors"`
	Errors    []wireError `json:"errors"`
	Results   []R         `json:"results"`
}

// decode returns an error unless the answer is complete and has results: until then, nothing follows from a missing
// result.
func (b *batchAnswer[R]) decode(body []byte) error {
	if err := decodeResponse(body, b); err != nil {
		return err
	}
	switch {
	case b.Status == "":
		return missingMember("status")
	case b.Status != "COMPLETE":
		return fmt.Errorf("HubSpot's response has the status %q, not COMPLETE", sanitize(b.Status))
	case b.Results == nil:
		return missingMember("results")
	}
	return nil
}

// missing returns the ids that do not exist according to errors that name them in these members of their context. all
// means that everything without a result does not exist: all errors say so, and none names anything.
func (b batchAnswer[R]) missing(members ...string) (named map[string]bool, all bool) {
	var gone []wireError
	unnamed := 0
	for _, e := range b.Errors {
		if e.saysNotFound() {
			gone = append(gone, e)
		}
		if e.saysNotFound() && e.namesNothing() {
			unnamed++
		}
	}
	return namedBy(gone, members...), unnamed > 0 && unnamed == max(len(b.Errors), b.NumErrors)
}

// namedBy returns the ids that errors name in these members of their context, as EmailKey spells them.
func namedBy(errs []wireError, members ...string) map[string]bool {
	named := map[string]bool{}
	for _, e := range errs {
		for _, member := range members {
			for _, id := range contextValues(e.Context, member) {
				named[EmailKey(id)] = true
			}
		}
	}
	return named
}

// failure returns the first error of an answer that does not say that something was not found, or nil.
func (b batchAnswer[R]) failure(sent redactor) error {
	for _, e := range b.Errors {
		if !e.saysNotFound() {
			return e.apiError(e.httpStatus(), sent)
		}
	}
	return nil
}

// saysNotFound reports whether an error says that what it is about does not exist, and says nothing else.
func (w wireError) saysNotFound() bool {
	switch w.Category {
	case "OBJECT_NOT_FOUND", "NOT_FOUND", "":
		return w.httpStatus() == http.StatusNotFound
	}
	return false
}

// namesNothing reports whether an error has no context, not even in its details, so that it is about all that is
// missing. A context of an unknown form may name something.
func (w wireError) namesNothing() bool {
	none := isEmptyContext(w.Context)
	for _, d := range w.Errors {
		none = none && isEmptyContext(d.Context)
	}
	return none
}

func isEmptyContext(context json.RawMessage) bool {
	trimmed := bytes.TrimSpace(context)
	return len(trimmed) == 0 || string(trimmed) == "null" || string(trimmed) == "{}"
}
