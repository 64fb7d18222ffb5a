// Package connlimit limits the connections that a listener has open, in total and for each client.
//
// It knows that an IPv6 /64 is one client, and that trusted proxies are exempt. It never reads what a connection
// carries.
package connlimit
