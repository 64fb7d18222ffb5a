// Package outbox is the queue of contact sync in Redis: a login stays in it until HubSpot's response has been
// processed.
// It knows the entries and their states, the lease of the one replica that works, people's records, dead letters, and
// which browser is bound to which person. Everything personal is sealed.
// It never calls HubSpot and never decides what is written. A holder that lost the lease can no longer write: each
// write checks the fencing token.
package outbox
