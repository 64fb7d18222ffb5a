// Package inbound determines the facts of a request before any other handler runs.
// It knows the request's id, the client's address, the scheme that the visitor used and the requested public host.
// It never believes a header that a trusted proxy did not write; nothing else reads these headers.
// It imports no other package of hubgate.
package inbound
