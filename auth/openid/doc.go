// Package openid speaks to an OpenID Provider, AWS Cognito first, as the gateway's OAuth client. It discovers the
// provider, builds authorize and logout URLs, exchanges codes, refreshes and revokes tokens, verifies ID tokens and
// logout tokens (OpenID Connect Core and Back-Channel Logout), and examines the client's settings. It knows the
// provider's keys, endpoints and errors. It never sees a visitor's request, cookies or Redis, and never starts or
// ends a session.
package openid
