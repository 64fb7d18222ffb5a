// Package fakehubspot is a fake of the part of HubSpot's API that hubgate uses, for `hubgate demo` and for tests.
// It knows the plan's rate limits, the definitions of properties, which it checks, and HubSpot's responses to batches.
// Batch reads can show changes late, and lists follow contacts.
// By default it fails some valid requests with 429 and 5xx, so that clients must retry. Contacts are kept in memory and
// shown on /contacts.
// It never imports another package of hubgate, so that it cannot share a mistake with the client that it tests.
package fakehubspot
