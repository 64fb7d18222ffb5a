// Package admin serves the admin listener: probes, metrics, the current configuration, and the API with which operators
// list and end sessions and manage the contact queue.
//
// It knows how operators authenticate, and the JSON of each endpoint. It never serves visitors, never calls HubSpot or
// the identity provider, and changes nothing without an audit line.
package admin
