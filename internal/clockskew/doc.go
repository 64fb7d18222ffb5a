// Package clockskew compares this machine's clock with the Date header of the responses that it receives.
//
// It knows the offset of each host's clock, and trusts the host that differs least: one server with a wrong clock says
// nothing about this machine. It never sends a request of its own and never sets a clock.
package clockskew
