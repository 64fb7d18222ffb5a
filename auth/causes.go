package auth

import "github.com/hubgate/hubgate/internal/page"

// The causes of the pages about failed logins. Each has a sentence in the catalogue of texts.
const (
	causeDenied      = "denied"          // the provider or the user declined
	causeTimeout     = "timeout"         // the user took too long at the provider
	causeRule        = "rule"            // a rule of the provider (a Lambda trigger) refused the login
	causeAttribute   = "attribute"       // the account lacks a required attribute
	causeTooLarge    = "too_large"       // the account's claims do not fit into a session
	causeLogin       = "login_required"  // the provider requires a login, but must not show its page
	causeProvider    = "provider"        // the provider failed
	causeExpired     = "expired"         // the attempt has expired
	causeUsed        = "used"            // the code was used before
	causeState       = "state"           // the callback's URL is not from this gateway
	causeCookies     = "cookies_blocked" // the browser does not keep the attempt's cookie
	causeCached      = "cached_redirect" // a cache keeps the redirect to the login
	causeToken       = "token"           // the provider's token is invalid
	causeClock       = "clock"           // the provider's clock or ours is wrong
	causeUnreachable = "provider"        // of the page unavailable: the provider does not respond
	causeSettings    = "provider"        // of the page misconfigured: the provider refuses the gateway's settings
	causeStore       = "store"           // of the page unavailable: Redis does not respond
)

// reasonShortened is the reason of a successful login to a page whose address was too long and lost its query.
const reasonShortened = "return_to_shortened"

// Causes returns every page and cause of this package, so that a test can compare them with the catalogue of texts.
func Causes() map[page.Name][]string {
	return map[page.Name][]string{
		page.LoginFailed: {
			causeDenied, causeTimeout, causeRule, causeAttribute, causeTooLarge, causeLogin, causeProvider,
			causeExpired, causeUsed, causeState, causeCookies, causeCached, causeToken, causeClock,
		},
		page.Unavailable:   {causeStore, causeUnreachable},
		page.Misconfigured: {causeSettings},
		page.Loop: {
			"cookie_missing", "cookie_invalid", "record_missing", "expired_at_once", "host", "scheme",
			"cached_redirect",
		},
	}
}

// reasonLoginRate is the reason of a login that was not begun, because its address has begun too many.
const reasonLoginRate = "login_rate"

// failedCauses returns the reasons of the result failed.
func failedCauses() []string {
	return []string{
		causeTooLarge, causeProvider, causeExpired, causeUsed, causeState, causeCookies, causeCached, causeToken,
		causeClock, causeStore, reasonLoginRate,
	}
}

// reportedCauses returns the reasons of the result reported.
func reportedCauses() []string {
	return []string{causeDenied, causeTimeout, causeRule, causeAttribute, causeLogin, causeProvider, causeToken}
}
