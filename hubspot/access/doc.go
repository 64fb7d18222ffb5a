// Package access knows what HubSpot says about visitors for rules that ask for it: which lists their contacts are in,
// and the values of chosen properties. It keeps what it has read in Redis, reads it again when it is old, and never
// lets a visitor wait long for it.
// It knows the section hubspot.access. It never decides: package proxy/rules does, and what is unknown admits nobody.
package access
