package auth

import "github.com/hubgate/hubgate/internal/page"

// Why a login could not be finished: the causes of the page login_failed and its like. Each has a sentence in the catalogue.
const (
	causeDenied      = "denied"          // the provider or the visitor said no
	causeTimeout     = "timeout"         // the visitor took too long at the provider
	causeRule        = "rule"            // a rule of the provider (a Lambda trigger) refused the login
	causeAttribute   = "attribute"       // the provider lacks something the account must have
	causeTooLarge    = "too_large"       // what the provider tells of the account does not fit into a session
	causeLogin       = "login_required"  // the provider wants a login and was told not to ask
	causeProvider    = "provider"        // the provider failed
	causeExpired     = "expired"         // the attempt is too old
	causeUsed        = "used"            // the code was used before
	causeState       = "state"           // the address is not one the gateway made
	causeCookies     = "cookies_blocked" // the browser does not keep the attempt
	causeCached      = "cached_redirect" // somebody in front keeps the redirect to the login
	causeToken       = "token"           // the provider's token does not hold
	causeClock       = "clock"           // the provider's clock or ours is wrong
	causeUnreachable = "provider"        // of unavailable: the provider cannot be asked
	causeSettings    = "provider"        // of misconfigured: the provider refuses the gateway itself
	causeStore       = "store"           // of unavailable
)

// reasonShortened is of a login that worked, to a page whose address was too long to be kept with its query.
const reasonShortened = "return_to_shortened"

// Causes lists every page and cause that this package shows, so that a test can hold the catalogue to it.
func Causes() map[page.Name][]string {
	return map[page.Name][]string{
		page.LoginFailed: {causeDenied, causeTimeout, causeRule, causeAttribute, causeTooLarge, causeLogin, causeProvider, causeExpired, causeUsed,
			causeState, causeCookies, causeCached, causeToken, causeClock},
		page.Unavailable:   {causeStore, causeUnreachable},
		page.Misconfigured: {causeSettings},
		page.Loop:          {"cookie_missing", "cookie_invalid", "record_missing", "expired_at_once", "host", "scheme", "cached_redirect"},
	}
}
