package openid

import (
	"crypto/rand"
	"strings"
	"testing"
)

func TestSafeErrorCodeReplacesOtherText(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		"access_denied", "invalid_request", "unsupported_response_type", "server_error", "temporarily_unavailable",
		"account_selection_required", "invalid_request_uri", "registration_not_supported", "request_uri_not_supported",
		"user_not_found",
	} {
		if got := SafeErrorCode(code); got != code {
			t.Errorf("%s: %q", code, got)
		}
	}
	letters := strings.NewReplacer("2", "a", "3", "b", "4", "c", "5", "d", "6", "e", "7", "f")
	secret := letters.Replace(strings.ToLower(rand.Text()))
	for _, text := range []string{
		"", secret, "error_" + secret, "ACCESS_DENIED", "access_denied\n", "_access", "access_", "a__b", "word",
		strings.Repeat("word_", 9) + "word",
	} {
		if got := SafeErrorCode(text); got != "(not an error code)" {
			t.Errorf("%q: %q", text, got)
		}
	}
}
