// Package auth logs visitors in and out with OpenID Connect's authorization code flow and PKCE. It serves the
// gateway's own endpoints below auth.prefix: start, callback, sign_out, signed_out, userinfo, session and
// backchannel_logout. It knows login attempts, their sealed cookies, their claims in Redis, login loops and rate
// limits. Package auth/openid speaks to the provider, and package session keeps the sessions. It never decides
// whether a page is protected, and never sends a visitor to a site other than the provider's.
package auth
