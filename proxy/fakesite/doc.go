// Package fakesite is a fake of the origin of a HubSpot-hosted site, for the demo and for tests: the site of a small
// company that sells bicycles, with pages for everyone, for members and for partners.
// It knows what complicates a gateway's work: it serves only requests with a public host in X-HS-Public-Host, ignores
// letter case and a trailing slash, serves one file at several addresses, and redirects to its own host name.
// It never protects a page: only the gateway does. It imports no other package of hubgate.
package fakesite
