// Package proxy is the gate in front of HubSpot: it decides for every request whether it may pass, forwards it, and
// rewrites the headers of both directions. It watches exchanges that last, and ends them when their session does.
//
// Package rules decides which page needs what, on paths that package urlpath has parsed.
package proxy
