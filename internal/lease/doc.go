// Package lease lets only one of several processes act at a time: the holder of a key in Redis.
// A lease expires after its TTL, so that a crashed holder does not block the others.
// Every change of the key compares the holder's token in the same step, so that only the holder can renew or release.
// It knows Redis and nothing about hubgate. It never guarantees that a paused holder has stopped: writes that must not
// be out of date check Token in their own scripts, or compare versions.
package lease
