// Package middleware has the handlers that every request passes before it is routed: recovery from panics, host,
// scheme, canonical path, HSTS, the access and audit lines, and the HTTP metrics.
//
// It knows the outcome of a request, which the inner handlers fill in. It never loads a session.
package middleware
