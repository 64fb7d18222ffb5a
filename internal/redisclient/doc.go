// Package redisclient connects to Redis: a single server, Sentinel or a cluster, with TLS and rotated credentials,
// behind a circuit breaker.
//
// It knows whether Redis is available from its own probe alone: no visitor's command opens or closes the breaker. It
// does not know what the keys mean.
package redisclient
