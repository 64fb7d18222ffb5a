// Package session keeps visitors logged in: one opaque cookie names one sealed record in Redis.
// Its Manager starts, loads, refreshes, lists and ends sessions, and tells other replicas about each end.
// It knows Redis, the seal keys and a RefreshFunc. It knows no provider, no access rules and no pages.
// It never mistakes an unavailable Redis for a logout: ErrNoSession means "not logged in", and every other error means
// "cannot tell", for which callers answer 503 on protected pages.
package session
