// Package clockskew compares this machine's clock with the Date headers of responses.
//
// It knows the offset of each host's clock, and trusts the host that differs least: one server with a wrong clock is no
// evidence against this machine's. It never sends requests itself and never sets a clock.
package clockskew
