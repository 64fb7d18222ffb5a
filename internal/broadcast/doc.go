// Package broadcast tells what is open in this process, and other replicas, that something has changed.
//
// It knows names of things and who waits for them, never what they are. A notification may be lost while Redis is
// unavailable: whoever waits is notified of everything when it is back.
package broadcast
