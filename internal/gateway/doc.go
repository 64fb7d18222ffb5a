// Package gateway is "hubgate serve": it creates every part, connects them, opens the listeners, reloads the
// configuration and shuts down. serve.go is the table of contents.
//
// It knows which part lives as long as the process and which one a reload replaces. It never decides about a request:
// proxy, auth and session do.
package gateway
