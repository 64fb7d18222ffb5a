// Package background runs goroutines and timers for a request.
// It knows two dangers of net/http: panics in goroutines that a handler starts are not recovered, and a ResponseWriter
// is reused after its handler has returned. Either can end the process. Goroutines and timers of this package therefore
// recover panics and end before the handler returns.
// It imports no other package of hubgate, and every package may import it.
package background
