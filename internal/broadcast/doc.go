// Package broadcast notifies open connections of this process, and other replicas, that something has changed.
//
// It knows the names of things and who watches them, never what they are. A notification may be lost while Redis is
// unavailable: when it is back, all watchers are notified.
package broadcast
