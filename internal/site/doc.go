// Package site compares the pages that HubSpot holds with the rules: which page is public, which needs a login, and
// which protected page can be read by bypassing the gateway.
//
// It knows HubSpot's content API and the gateway's rules. It never prints and never asks the operator anything.
package site
