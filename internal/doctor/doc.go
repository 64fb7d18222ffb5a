// Package doctor checks, for "hubgate check --live", every system that a configuration names: DNS and certificates of
// the sites, HubSpot's origin, the identity provider, Redis, HubSpot's API and the clock.
//
// It knows how each must respond, and how to fix what is wrong. It never changes any of them, and never prints a
// secret.
package doctor
