package auth

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// providerError shows the provider's error by its class. The error is a parameter of an address that anybody can send,
// so it changes nothing but this visitor's page: no alarm, no health (RFC 6749, 4.1.2.1, has nothing that proves the
// sender). It never begins a login by itself: an error that comes back at once would be a loop. The description is text
// from outside and reaches neither page nor log.
func (h *Handler) providerError(w http.ResponseWriter, r *http.Request, code, description string, a *attempt) {
	note(r, "provider_error", errors.New("auth: the provider answers "+errorClass(code)))
	if h.deps.Provider.told.due(code, h.deps.Now()) {
		h.deps.Log.InfoContext(r.Context(), "a login came back with an error in the address", "error", errorClass(code))
	}
	switch code {
	case "access_denied":
		h.failed(w, r, http.StatusForbidden, causeDenied, a.ReturnTo)
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		h.failed(w, r, http.StatusBadRequest, causeLogin, a.ReturnTo)
	case "unauthorized_client", "invalid_scope", "unsupported_response_type":
		h.misconfiguredPage(w, r)
	case "temporarily_unavailable":
		h.deps.Metrics.finished.WithLabelValues("failed", causeProvider).Inc()
		h.unavailable(w, r, causeUnreachable, h.startURL(a.ReturnTo))
	case "server_error":
		cause := causeProvider
		if strings.Contains(strings.ToLower(description), "timeout") || strings.Contains(strings.ToLower(description), "timed out") {
			cause = causeTimeout
		}
		h.failed(w, r, http.StatusServiceUnavailable, cause, a.ReturnTo)
	case "invalid_request":
		h.failed(w, r, http.StatusBadRequest, requestCause(description), a.ReturnTo)
	default:
		h.failed(w, r, http.StatusBadRequest, causeProvider, a.ReturnTo)
	}
}

// requestCause narrows Cognito's invalid_request down, which stands for everything from a trigger's refusal to a missing attribute.
// AWS says that descriptions are not fixed: what is not recognised is told in general words.
func requestCause(description string) string {
	lower := strings.ToLower(description)
	switch {
	case strings.Contains(lower, "failed with error"): // PreSignUp, PreTokenGeneration ...
		return causeRule
	case strings.Contains(lower, "attributes required"):
		return causeAttribute
	case strings.Contains(lower, "timeout"):
		return causeTimeout
	}
	return causeProvider
}

// errorLog limits the lines about errors that browsers bring to one a minute for each code.
type errorLog struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// due reports whether a line about the code is to be written. Codes that no specification names share one limit: a
// visitor can invent any number of them.
func (l *errorLog) due(code string, now time.Time) bool {
	if !slices.Contains(errorCodes(), code) {
		code = ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.last[code]; ok && now.Sub(last).Abs() < time.Minute {
		return false
	}
	if l.last == nil {
		l.last = map[string]time.Time{}
	}
	l.last[code] = now
	return true
}

// errorCodes are those of RFC 6749, 4.1.2.1, and OpenID Connect Core 3.1.2.6.
func errorCodes() []string {
	return []string{
		"access_denied", "invalid_request", "invalid_scope", "server_error", "temporarily_unavailable", "unauthorized_client",
		"unsupported_response_type", "interaction_required", "login_required",
		"account_selection_required", "consent_required",
		"invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported",
		"registration_not_supported",
	}
}

// errorClass keeps only what error codes look like: a few words of lower-case letters, joined by underscores (RFC 6749 4.1.2.1, OpenID
// Connect Core 3.1.2.6). Anybody can write the parameter, and anything else might be a secret on its way into a log.
func errorClass(code string) string {
	if len(code) > 48 || !errorWords.MatchString(code) {
		return "something that is no error code"
	}
	return code
}

var errorWords = regexp.MustCompile(`^[a-z]{2,16}(_[a-z]{2,16}){1,4}$`)
