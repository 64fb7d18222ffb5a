// Package session keeps visitors logged in: one opaque cookie names one sealed record in Redis.
// Its Manager starts, loads, refreshes, lists and ends sessions, and notifies the other replicas when one ends.
// It knows Redis, the seal keys and a RefreshFunc. It knows no provider, no access rules and no pages.
// It never mistakes an unavailable Redis for a logout: ErrNoSession means "not logged in", and every other error means
// "unknown", for which callers respond with 503 on protected pages.
package session
