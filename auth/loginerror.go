package auth

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hubgate/hubgate/auth/openid"
)

// exchangeError shows what the visitor can do about a failed exchange (try again, begin a new login, or nothing), and
// logs the cause for the operator.
func (h *Handler) exchangeError(w http.ResponseWriter, r *http.Request, a *attempt, err error) {
	var invalid *openid.TokenError
	var refusal *openid.Refusal
	switch {
	case errors.As(err, &invalid):
		cause := causeToken
		if invalid.WrongClock {
			cause = causeClock
		}
		note(r, cause, err)
		h.replies.failed(w, r, failure{http.StatusBadGateway, cause, a.ReturnTo})
	case !errors.As(err, &refusal):
		note(r, "provider", err)
		h.replies.providerUnavailable(w, r, a.ReturnTo)
	case refusal.Kind == openid.RefusedCode && h.loggedIn(r):
		redirect(w, a.ReturnTo)
	default:
		note(r, "token_endpoint", err)
		h.replies.refused(w, r, refusal.Kind, a.ReturnTo)
	}
}

// refused shows what a refusal of the token endpoint means.
func (p replies) refused(w http.ResponseWriter, r *http.Request, kind openid.RefusalKind, returnTo string) {
	switch kind {
	case openid.RefusedCode:
		p.failed(w, r, failure{http.StatusBadRequest, causeUsed, returnTo})
	case openid.RefusedSettings:
		p.misconfigured(w, r)
	default:
		p.providerUnavailable(w, r, returnTo)
	}
}

// providerError shows the provider's error by its class. Anyone can send the parameters error and error_description,
// and nothing in them proves the sender (RFC 6749, section 4.1.2.1). So the error changes only this visitor's page,
// not the provider's health. It never begins a login, which would loop if the error came back. The description
// appears neither on the page nor in the log (CWE-79, CWE-117).
func (h *Handler) providerError(w http.ResponseWriter, r *http.Request, a *attempt) {
	q := r.URL.Query()
	code, description := q.Get("error"), q.Get("error_description")
	safe := openid.SafeErrorCode(code)
	note(r, "provider_error", errors.New("auth: the provider returned "+safe))
	if h.errors.due(code, h.deps.Now()) {
		h.deps.Log.InfoContext(r.Context(), "callback with a provider error", "error", safe)
	}
	reported := h.replies.reported()
	switch code {
	case "unauthorized_client", "invalid_scope", "unsupported_response_type":
		reported.misconfigured(w, r)
	case "temporarily_unavailable":
		reported.providerUnavailable(w, r, a.ReturnTo)
	default:
		reported.failed(w, r, failureOf(code, description, a.ReturnTo))
	}
}

func failureOf(code, description, returnTo string) failure {
	switch code {
	case "access_denied":
		return failure{http.StatusForbidden, causeDenied, returnTo}
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return failure{http.StatusBadRequest, causeLogin, returnTo}
	case "server_error":
		lower := strings.ToLower(description)
		if strings.Contains(lower, "timeout") || strings.Contains(lower, "timed out") {
			return failure{http.StatusServiceUnavailable, causeTimeout, returnTo}
		}
		return failure{http.StatusServiceUnavailable, causeProvider, returnTo}
	case "invalid_request":
		return failure{http.StatusBadRequest, causeOfInvalidRequest(description), returnTo}
	}
	return failure{http.StatusBadRequest, causeProvider, returnTo}
}

// causeOfInvalidRequest classifies Cognito's invalid_request, which it sends for many reasons, from a trigger's
// refusal to a missing attribute. AWS does not guarantee the descriptions, so unknown ones get the general cause.
func causeOfInvalidRequest(description string) string {
	lower := strings.ToLower(description)
	switch {
	case strings.Contains(lower, "failed with error"): // of PreSignUp, PreTokenGeneration and other Lambda triggers
		return causeRule
	case strings.Contains(lower, "attributes required"):
		return causeAttribute
	case strings.Contains(lower, "timeout"):
		return causeTimeout
	}
	return causeProvider
}

// errorLog limits log lines about errors in callbacks to one a minute for each code.
type errorLog struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// due reports whether a code is to be logged. Non-standard codes share one limit, because visitors can make up any
// number of them.
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

// errorCodes returns the codes of RFC 6749, section 4.1.2.1, and of OpenID Connect Core, section 3.1.2.6.
func errorCodes() []string {
	return []string{
		"access_denied", "invalid_request", "invalid_scope", "server_error", "temporarily_unavailable",
		"unauthorized_client", "unsupported_response_type", "interaction_required", "login_required",
		"account_selection_required", "consent_required", "invalid_request_uri", "invalid_request_object",
		"request_not_supported", "request_uri_not_supported", "registration_not_supported",
	}
}
