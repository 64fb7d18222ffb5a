package auth

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
)

// providerError shows the provider's error by its class. It never begins a login by itself: an error that comes back at once would be
// a loop. The description is text from outside and reaches neither page nor log.
func (h *Handler) providerError(w http.ResponseWriter, r *http.Request, code, description string, a *attempt) {
	note(r, "provider_error", errors.New("auth: the provider answers "+errorClass(code)))
	switch code {
	case "access_denied":
		h.failed(w, r, http.StatusForbidden, causeDenied, a.ReturnTo)
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		h.failed(w, r, http.StatusBadRequest, causeLogin, a.ReturnTo)
	case "unauthorized_client", "invalid_scope", "unsupported_response_type":
		h.misconfigured(w, r, "the provider answers "+code+" to a login: the client may not do what auth.scopes and the code flow ask for")
	case "server_error", "temporarily_unavailable":
		cause := causeProvider
		if strings.Contains(strings.ToLower(description), "timeout") || strings.Contains(strings.ToLower(description), "timed out") {
			cause = causeTimeout
		}
		h.failed(w, r, http.StatusBadGateway, cause, a.ReturnTo)
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

// errorClass keeps only what error codes look like: a few words of lower-case letters, joined by underscores (RFC 6749 4.1.2.1, OpenID
// Connect Core 3.1.2.6). Anybody can write the parameter, and anything else might be a secret on its way into a log.
func errorClass(code string) string {
	if len(code) > 48 || !errorWords.MatchString(code) {
		return "something that is no error code"
	}
	return code
}

var errorWords = regexp.MustCompile(`^[a-z]{2,16}(_[a-z]{2,16}){1,4}$`)
