// Package access knows what HubSpot says about visitors, for rules that ask for it: the lists that a contact is in, and
// the values of its properties.
// It knows how old an answer may be, how visitors are read in batches, what replicas share in Redis, and what a failed
// call proves. HubSpot is believed to be unavailable only when a call of hubgate's own fails.
// It decides nothing: package proxy/rules does. What is not known is missing, never a guess, and a visitor waits at
// most two seconds for it.
package access
