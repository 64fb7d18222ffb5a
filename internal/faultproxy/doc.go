// Package faultproxy is a TCP proxy that simulates network faults, for tests: it is put between hubgate and Redis.
// It refuses, delays, resets, drops, replaces or throttles traffic.
// It never interprets what it forwards, and imports no other package of hubgate.
package faultproxy
