package crm

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// wireError is HubSpot's error body. The values of Context are lists in some responses and strings in others.
type wireError struct {
	Status     any             `json:"status"`
	ID         string          `json:"id"`
	Message    string          `json:"message"`
	Category   string          `json:"category"`
	ErrorType  string          `json:"errorType"`
	PolicyName string          `json:"policyName"`
	Context    json.RawMessage `json:"context"`
	Errors     []wireDetail    `json:"errors"`
}

type wireDetail struct {
	Message string          `json:"message"`
	Code    string          `json:"code"`
	Context json.RawMessage `json:"context"`
}

// parseError reads the body of a response that is not 2xx. The result is usable even if the body is not.
func parseError(status int, header http.Header, body []byte, sent redactor) *APIError {
	var w wireError
	var typeErr *json.UnmarshalTypeError // other members are still decoded
	if err := json.Unmarshal(body, &w); err != nil && !errors.As(err, &typeErr) {
		w = wireError{Message: http.StatusText(status)}
	}
	e := w.apiError(status, sent)
	limit := maxRetryAfter
	if e.Policy == policyDaily || status == StatusMigration {
		limit = longRetryAfter
	}
	e.RetryAfter = min(retryAfter(header), limit)
	return e
}

func (w wireError) apiError(status int, sent redactor) *APIError {
	message, violations := splitMessage(w.Message)
	e := &APIError{Status: status, Category: sent.code(w.Category), Message: sent.text(message), Policy: w.policy()}
	e.fromHubSpot = w.Category != "" || w.ErrorType != "" || w.PolicyName != ""
	e.addContext(w.Context, "")
	for _, v := range violations {
		e.addBad(v.Name, sent.code(v.Error))
	}
	for _, d := range w.Errors {
		e.addContext(d.Context, sent.code(d.Code))
		_, violations := splitMessage(d.Message)
		for _, v := range violations {
			e.addBad(v.Name, sent.code(v.Error))
		}
	}
	if m := existingForm.FindStringSubmatch(w.Message); status == http.StatusConflict && m != nil {
		e.Existing = m[1]
	}
	return e
}

// scopeForm matches the names of scopes.
var scopeForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// addContext reads the properties and scopes that an error's context names.
func (e *APIError) addContext(context json.RawMessage, code string) {
	for _, member := range []string{"propertyName", "propertyNames"} {
		for _, name := range contextValues(context, member) {
			e.addBad(name, code)
		}
	}
	for _, name := range contextValues(context, "properties") {
		if IsPropertyName(name) && !slices.Contains(e.Required, name) {
			e.Required = append(e.Required, name)
		}
	}
	for _, scope := range contextValues(context, "requiredGranularScopes") {
		if scopeForm.MatchString(scope) {
			e.Scopes = append(e.Scopes, scope)
		}
	}
}

// addBad adds a rejected property. A later mention with a code is more precise than one without.
func (e *APIError) addBad(name, code string) {
	if !IsPropertyName(name) {
		return
	}
	added := rejection(name, code)
	i := slices.IndexFunc(e.BadProperties, func(d Drop) bool { return d.Property == name })
	switch {
	case i < 0:
		e.BadProperties = append(e.BadProperties, added)
	case e.BadProperties[i] == rejection(name, ""):
		e.BadProperties[i] = added
	}
}

// violation is a rejected value as listed in the text of a message.
type violation struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

// violationsPrefix begins the messages with a list of violations. In any other message, a list may be a value that
// HubSpot repeats, in which a visitor names properties of others.
const violationsPrefix = "Property values were not valid"

// splitMessage splits a message such as "Property values were not valid: [...]" into its words and its JSON list.
func splitMessage(message string) (words string, list []violation) {
	rest, found := strings.CutPrefix(message, violationsPrefix)
	rest = strings.TrimLeft(rest, " :")
	if !found || !strings.HasPrefix(rest, "[") || json.NewDecoder(strings.NewReader(rest)).Decode(&list) != nil {
		return message, nil
	}
	return violationsPrefix, list
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
