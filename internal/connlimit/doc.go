// Package connlimit bounds the connections that a listener holds, in total and for each client address.
//
// It knows that one IPv6 network of 64 bits is one client, and that trusted proxies are exempt. It never reads what a
// connection carries.
package connlimit
