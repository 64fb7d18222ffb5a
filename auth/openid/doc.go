// Package openid is the gateway's OAuth client for an OpenID Provider, AWS Cognito first. It discovers the
// provider, builds authorize and logout URLs, exchanges codes, refreshes and revokes tokens, verifies ID tokens and
// logout tokens (OpenID Connect Core and Back-Channel Logout), and examines the client's settings. It knows the
// provider's keys, endpoints and errors. It never sees a visitor's request, cookies or Redis, and never starts or
// ends a session.
package openid
