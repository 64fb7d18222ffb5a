// Package gateway is "hubgate serve": it builds every part, joins them, opens the listeners, reloads the configuration
// and drains. serve.go is the table of contents.
//
// It knows which part lives as long as the process and which is rebuilt by a reload. It never decides about a request:
// proxy, auth and session do.
package gateway
