package crm

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

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
	case codeForm.MatchString(name):
		return name
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

// The longest waits that a response can request. A window of seconds ends soon, even with a large Retry-After (HubSpot
// sometimes sends milliseconds in it); a daily limit and a migration take longer.
const (
	maxRetryAfter  = time.Minute
	longRetryAfter = 15 * time.Minute
)

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

// Daily reports whether the account's daily limit is reached.
func (e *APIError) Daily() bool { return e.Policy == policyDaily }

// RateLimitPause returns how long a 429 pauses all calls.
func (e *APIError) RateLimitPause() time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	switch e.Policy {
	case policyDaily:
		return dailyPause
	case policySecondly:
		return 2 * time.Second
	}
	return 10 * time.Second
}

// dailyPause is the interval of attempts after a daily limit. HubSpot's day ends at midnight in the account's time
// zone, which the token may not be allowed to read.
const dailyPause = 10 * time.Minute
