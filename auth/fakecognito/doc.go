// Package fakecognito imitates an Amazon Cognito user pool for the demo and for tests, with its deviations from the
// standards: PKCE is checked but not announced, booleans are strings in userinfo, and logout is not OpenID Connect's.
// It knows users, app clients, codes, tokens and signing keys, and returns token errors that a test asks for.
// It keeps all data in memory, imports no other package of hubgate, and must never be exposed to the internet.
package fakecognito
