// Package ratelimit is the rate limit of HubSpot's API for all replicas together, kept in Redis with Redis' clock.
// It knows which classes of calls share the limit, how much of it each may use, and why calls are paused.
// It never calls HubSpot and never reads a response, except the headers about the limit.
package ratelimit
