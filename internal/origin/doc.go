// Package origin keeps the connections to the site's origin.
// A request without a body is written and its response awaited in the goroutine that serves the request; net/http's
// transport would wake two more goroutines. Requests with a body, upgrades and non-idempotent ones use net/http's.
// It knows which of its connections the origin has closed, and whether a failed request may be repeated on another.
// It never repeats a request that the origin may have acted on. Of hubgate's packages it imports only background.
package origin
