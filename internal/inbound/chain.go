package inbound

import (
	"net/netip"
	"strings"
)

// A chain of proxies: each hop appends the address it was asked from to X-Forwarded-For, and may append the scheme
// it was asked by to X-Forwarded-Proto. Only the right end of such a list was written by hops in front of us;
// anything further left came with the visitor's request (CWE-348). Both lists are therefore counted from the right,
// by the same number of hops.

// maxHops bounds the walk. No real chain is longer; one that is ends at its last hop within the bound.
const maxHops = 32

// walk follows X-Forwarded-For from the right while the hops are trusted. It returns the visitor's address, which
// is the first that is not trusted, and the number of trusted hops, the peer included. An entry that is not an
// address ("unknown", "_hidden", a name) ends the walk: the last hop with an address then counts as the visitor.
func (rs *Resolver) walk(peer netip.Addr, values []string) (client netip.Addr, hops int) {
	client, hops = peer, 1
	for entry := range fromRight(values) {
		hop := Address(entry)
		if !hop.IsValid() {
			break
		}
		client = hop
		if !rs.trusts(hop) || hops == maxHops {
			break
		}
		hops++
	}
	return client, hops
}

// atClient returns the entry that the hop next to the visitor wrote: the one that lies as many hops from the right
// as there are, or the leftmost when some hops wrote none. A hop that overwrites the list leaves one entry, and
// that is the answer.
func atClient(values []string, hops int) string {
	found := ""
	for entry := range fromRight(values) {
		found = entry
		if hops--; hops == 0 {
			break
		}
	}
	return found
}

// fromRight yields the entries of a list header from the last to the first. Several lines are one list, and empty
// entries do not count (RFC 9110, 5.3 and 5.6.1).
func fromRight(values []string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := len(values) - 1; i >= 0; i-- {
			for rest, more := values[i], true; more; {
				var entry string
				if at := strings.LastIndexByte(rest, ','); at >= 0 {
					rest, entry = rest[:at], rest[at+1:]
				} else {
					entry, more = rest, false
				}
				if entry = strings.Trim(entry, " \t"); entry != "" && !yield(entry) {
					return
				}
			}
		}
	}
}

// Address parses an address with or without a port; an IPv6 address may be in brackets. IPv4-mapped IPv6 addresses
// are unmapped and zones dropped, so that one visitor has one spelling.
func Address(text string) netip.Addr {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	inner, open := strings.CutPrefix(text, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	a, err := netip.ParseAddr(inner)
	if err != nil || open != closed || open && a.Is4() {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
