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

// apiError is an error that HubSpot answered with, for a whole call or for one contact of a batch.
type apiError struct {
	Status        int
	Category      string
	Message       string // truncated, without e-mail addresses and tokens
	Policy        string // of a 429: the limit that was exceeded
	RetryAfter    time.Duration
	BadProperties []badProperty
	Scopes        []string // of a 403: the scopes that the token lacks
	Existing      string   // of a 409: the id of the contact that already has the value
	retryable     bool     // for one contact: the call may succeed later, whatever the status
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

// statusMigration is HubSpot's own status for an account that is being migrated.
const statusMigration = 477

// transient reports whether the same call may succeed later.
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

// The longest waits that a response can ask for. A window of seconds ends soon whatever Retry-After says (HubSpot
// sometimes sends milliseconds there); a daily limit and a migration take longer.
const (
	maxRetryAfter  = time.Minute
	longRetryAfter = 15 * time.Minute
)

// parseError reads the body of a response that is not 2xx. The result is usable whatever the body holds.
func parseError(status int, header http.Header, body []byte) *apiError {
	var w wireError
	var typeErr *json.UnmarshalTypeError // other members are still decoded
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

// retryAfter parses both forms of the header: seconds and a date (RFC 9110, section 10.2.3).
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

// Names of HubSpot's rate limits in a 429.
const (
	policyDaily    = "DAILY"
	policySecondly = "SECONDLY"
	policyRolling  = "TEN_SECONDLY_ROLLING"
)

// policy returns the limit that a 429 names. Older responses name it in the message only.
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

var (
	addressForm = regexp.MustCompile(`[^\s@"'<>\[\](){},;:]+(?:@|%40)[^\s@"'<>\[\](){},;:]+`)
	// existingForm matches the id of the conflicting contact in HubSpot's message.
	existingForm = regexp.MustCompile(`(?i)existing id:?\s*([0-9]{1,20})`)
	keyForm      = regexp.MustCompile(`pat-[a-z0-9]+-[0-9A-Za-z-]+`)
)

const maxMessage = 300

// sanitize prepares a text from HubSpot for logs and operators: short, one line, without e-mail addresses and tokens
// (log injection, CWE-117).
func sanitize(s string) string {
	s = truncate(s, 4*maxMessage)
	s = keyForm.ReplaceAllString(addressForm.ReplaceAllString(clean(s, false), "<e-mail>"), "<key>")
	return truncate(s, maxMessage)
}
