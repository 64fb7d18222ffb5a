// Package clockskew compares this machine's clock with the Date of the responses that it receives.
//
// It knows by how much each host's clock differs, and believes the nearest: one server whose clock is wrong says
// nothing about this one. It never sends a request of its own and never sets a clock.
package clockskew
