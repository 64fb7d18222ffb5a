package crm

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// wireError is HubSpot's error body in all its forms. The values of Context are lists in some responses and strings in
// others.
type wireError struct {
	Status      any             `json:"status"`
	ID          string          `json:"id"`
	Message     string          `json:"message"`
	Category    string          `json:"category"`
	SubCategory any             `json:"subCategory"`
	ErrorType   string          `json:"errorType"`
	PolicyName  string          `json:"policyName"`
	Context     json.RawMessage `json:"context"`
	Errors      []wireDetail    `json:"errors"`
	Violations  []violation     `json:"validationResults"`
}

type wireDetail struct {
	Message string          `json:"message"`
	Code    string          `json:"code"`
	In      string          `json:"in"`
	Context json.RawMessage `json:"context"`
}

// parseError reads the body of a response that is not 2xx. The result is usable even if the body is not.
func parseError(status int, header http.Header, body []byte) *APIError {
	var w wireError
	var typeErr *json.UnmarshalTypeError // other members are still decoded
	if err := json.Unmarshal(body, &w); err != nil && !errors.As(err, &typeErr) {
		w = wireError{Message: http.StatusText(status)}
	}
	e := w.apiError(status)
	limit := maxRetryAfter
	if e.Policy == policyDaily || status == StatusMigration {
		limit = longRetryAfter
	}
	e.RetryAfter = min(retryAfter(header), limit)
	return e
}

func (w wireError) apiError(status int) *APIError {
	e := &APIError{Status: status, Category: sanitize(w.Category), Message: sanitize(w.Message), Policy: w.policy()}
	for _, d := range w.Errors {
		reason := d.Code
		if reason == "" {
			reason = d.Message
		}
		names := append(contextValues(d.Context, "propertyName"), contextValues(d.Context, "propertyNames")...)
		if len(names) == 0 {
			names = append(names, lastPart(d.In))
		}
		for _, name := range names {
			e.addBad(name, reason)
		}
		e.Scopes = append(e.Scopes, contextValues(d.Context, "requiredGranularScopes")...)
	}
	for _, name := range contextValues(w.Context, "propertyName") {
		e.addBad(name, w.Message)
	}
	e.Scopes = append(e.Scopes, contextValues(w.Context, "requiredGranularScopes")...)
	e.addViolations(w.Violations)
	e.addFromMessage(w.Message)
	for _, d := range w.Errors {
		e.addFromMessage(d.Message)
	}
	if len(e.BadProperties) == 0 {
		e.addQuoted(w)
	}
	if m := existingForm.FindStringSubmatch(w.Message); status == http.StatusConflict && m != nil {
		e.Existing = m[1]
	}
	for i := range e.Scopes {
		e.Scopes[i] = sanitize(e.Scopes[i])
	}
	return e
}

// httpStatus returns the HTTP status that an error inside a batch corresponds to.
func (w wireError) httpStatus() int {
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

// contextValues reads a member of an error's context: a list in some responses, a string in others.
func contextValues(context json.RawMessage, name string) []string {
	var members map[string]json.RawMessage
	if json.Unmarshal(context, &members) != nil {
		return nil
	}
	var list []string
	if json.Unmarshal(members[name], &list) == nil {
		return list
	}
	var one string
	if json.Unmarshal(members[name], &one) == nil && one != "" {
		return []string{one}
	}
	return nil
}
