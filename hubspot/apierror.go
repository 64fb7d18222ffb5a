package hubspot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// apiError is a refusal by HubSpot: of a whole call, or of one contact inside a batch.
type apiError struct {
	Status     int
	Category   string
	Message    string // cut, and free of addresses and keys
	Policy     string // of a 429: which limit
	RetryAfter time.Duration
	Bad        []badProperty
	Scopes     []string // of a 403: what the key lacks
}

// badProperty is a property that made HubSpot refuse a contact.
type badProperty struct{ name, reason string }

func (e *apiError) Error() string {
	text := strconv.Itoa(e.Status)
	for _, part := range []string{e.Policy, e.Category, e.Message} {
		if part != "" {
			text += " " + part
		}
	}
	if len(e.Scopes) > 0 {
		text += fmt.Sprintf(" (missing scopes: %s)", strings.Join(e.Scopes, ", "))
	}
	return text
}

// statusMigration is HubSpot's own: the account is being moved.
const statusMigration = 477

// transient tells that the same call may succeed later.
func (e *apiError) transient() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests, statusMigration:
		return true
	}
	return e.Status >= 500
}

// wireError is HubSpot's error body in all its forms; context's values come as lists and as plain texts.
type wireError struct {
	Status        any             `json:"status"`
	ID            string          `json:"id"`
	Message       string          `json:"message"`
	Category      string          `json:"category"`
	SubCategory   any             `json:"subCategory"`
	ErrorType     string          `json:"errorType"`
	PolicyName    string          `json:"policyName"`
	Context       json.RawMessage `json:"context"`
	Errors        []wireDetail    `json:"errors"`
	ValidationErr json.RawMessage `json:"validationResults"`
}

type wireDetail struct {
	Message string          `json:"message"`
	Code    string          `json:"code"`
	In      string          `json:"in"`
	Context json.RawMessage `json:"context"`
}

// maxRetryAfter caps what an answer can make us wait.
const maxRetryAfter = 5 * time.Minute

// parseError reads the body of an answer that is not 2xx. Whatever it holds, the result is usable.
func parseError(status int, header http.Header, body []byte) *apiError {
	var w wireError
	if err := json.Unmarshal(body, &w); err != nil {
		w = wireError{Message: http.StatusText(status)}
	}
	e := w.apiError(status)
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = min(time.Duration(min(seconds, 86400))*time.Second, maxRetryAfter)
	}
	return e
}

func (w wireError) apiError(status int) *apiError {
	e := &apiError{Status: status, Category: tame(w.Category), Message: tame(w.Message), Policy: tame(w.PolicyName)}
	for _, d := range w.Errors {
		reason := d.Code
		if reason == "" {
			reason = d.Message
		}
		for _, name := range contextValues(d.Context, "propertyName") {
			e.blame(name, reason)
		}
		e.Scopes = append(e.Scopes, contextValues(d.Context, "requiredGranularScopes")...)
	}
	for _, name := range contextValues(w.Context, "propertyName") {
		e.blame(name, w.Message)
	}
	e.Scopes = append(e.Scopes, contextValues(w.Context, "requiredGranularScopes")...)
	e.blameFromMessage(w.Message)
	for i := range e.Scopes {
		e.Scopes[i] = tame(e.Scopes[i])
	}
	return e
}

func (e *apiError) blame(name, reason string) {
	if !propertyForm.MatchString(name) || slices.ContainsFunc(e.Bad, func(b badProperty) bool { return b.name == name }) {
		return
	}
	e.Bad = append(e.Bad, badProperty{name: name, reason: tame(reason)})
}

// blameFromMessage reads the JSON list that HubSpot puts into the text "Property values were not valid: [...]".
func (e *apiError) blameFromMessage(message string) {
	_, list, found := strings.Cut(message, "[")
	if !found {
		return
	}
	var violations []struct {
		Name    string `json:"name"`
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	if json.NewDecoder(strings.NewReader("["+list)).Decode(&violations) != nil {
		return
	}
	for _, v := range violations {
		reason := v.Error
		if reason == "" {
			reason = v.Message
		}
		e.blame(v.Name, reason)
	}
}

// contextValues reads a member of an error's context, whose values are lists in some answers and texts in others.
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

var (
	addressForm = regexp.MustCompile(`[^\s@"'<>\[\](){},;:]+@[^\s@"'<>\[\](){},;:]+`)
	keyForm     = regexp.MustCompile(`pat-[a-z0-9]+-[0-9A-Za-z-]+`)
)

const maxMessage = 300

// tame makes a text of HubSpot fit for a log line: short, one line, without people's addresses and without keys.
func tame(s string) string {
	s = cut(s, 4*maxMessage)
	s = keyForm.ReplaceAllString(addressForm.ReplaceAllString(clean(s, false), "<e-mail>"), "<key>")
	return cut(s, maxMessage)
}
