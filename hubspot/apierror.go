package hubspot

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// apiError is a refusal by HubSpot: of a whole call, or of one contact inside a batch.
type apiError struct {
	Status        int
	Category      string
	Message       string // cut, and free of addresses and keys
	Policy        string // of a 429: which limit
	RetryAfter    time.Duration
	BadProperties []badProperty
	Scopes        []string // of a 403: what the key lacks
	Existing      string   // of a 409: the contact that has the value already
	retryable     bool     // about one contact, and not settled: the same call may succeed later, whatever the status
}

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
	if e.retryable {
		return true
	}
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests, statusMigration:
		return true
	}
	return e.Status >= 500
}

// wireError is HubSpot's error body in all its forms; context's values come as lists and as plain texts.
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

// What an answer can make us wait at most: a window of seconds is over soon whatever Retry-After says (HubSpot writes milliseconds
// there in places), a used-up day and a migration may take longer.
const (
	maxRetryAfter  = time.Minute
	longRetryAfter = 15 * time.Minute
)

// parseError reads the body of an answer that is not 2xx. Whatever it holds, the result is usable.
func parseError(status int, header http.Header, body []byte) *apiError {
	var w wireError
	var typeErr *json.UnmarshalTypeError // one member of another type does not make the others unreadable
	if err := json.Unmarshal(body, &w); err != nil && !errors.As(err, &typeErr) {
		w = wireError{Message: http.StatusText(status)}
	}
	e := w.apiError(status)
	limit := maxRetryAfter
	if e.Policy == policyDaily || status == statusMigration {
		limit = longRetryAfter
	}
	e.RetryAfter = min(retryAfter(header), limit)
	return e
}

// retryAfter reads the header's two forms, seconds and a date.
func retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 86400) * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil {
		sent, err := http.ParseTime(header.Get("Date"))
		if err == nil {
			return max(0, at.Sub(sent))
		}
	}
	return 0
}

func (w wireError) apiError(status int) *apiError {
	e := &apiError{Status: status, Category: sanitize(w.Category), Message: sanitize(w.Message), Policy: w.policy()}
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

// Names of the limits that a 429 speaks of.
const (
	policyDaily    = "DAILY"
	policySecondly = "SECONDLY"
	policyRolling  = "TEN_SECONDLY_ROLLING"
)

// policy is the limit that a 429 names, in older answers in the words of its message only.
func (w wireError) policy() string {
	message := strings.ToLower(w.Message)
	switch name := strings.ToUpper(w.PolicyName); {
	case name != "":
		return sanitize(name)
	case w.Category != "RATE_LIMITS" && w.ErrorType != "RATE_LIMIT" && w.Category != "RATE_LIMIT":
		return ""
	case strings.Contains(message, "daily"):
		return policyDaily
	case strings.Contains(message, "ten_secondly"):
		return policyRolling
	case strings.Contains(message, "secondly"):
		return policySecondly
	}
	return ""
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
	addressForm = regexp.MustCompile(`[^\s@"'<>\[\](){},;:]+(?:@|%40)[^\s@"'<>\[\](){},;:]+`)
	// existingForm is where HubSpot names the contact that is in the way.
	existingForm = regexp.MustCompile(`(?i)existing id:?\s*([0-9]{1,20})`)
	keyForm      = regexp.MustCompile(`pat-[a-z0-9]+-[0-9A-Za-z-]+`)
)

const maxMessage = 300

// tame makes a text of HubSpot fit for a log line: short, one line, without people's addresses and without keys.
func sanitize(s string) string {
	s = truncate(s, 4*maxMessage)
	s = keyForm.ReplaceAllString(addressForm.ReplaceAllString(clean(s, false), "<e-mail>"), "<key>")
	return truncate(s, maxMessage)
}
