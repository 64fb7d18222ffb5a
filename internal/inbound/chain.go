package inbound

import (
	"net/netip"
	"strings"
)

// In a chain of proxies, each hop appends its client's address to X-Forwarded-For, and may append the scheme of the
// request to X-Forwarded-Proto. Only the right end of these lists was written by proxies in front of hubgate; the rest
// came with the visitor's request (CWE-348). Both lists are therefore counted from the right, by the same number of
// hops.

// maxHops is the maximum number of hops that are followed. Real chains are shorter.
const maxHops = 32

// walk follows X-Forwarded-For from the right while the hops are trusted. It returns the visitor's address, which is
// the first untrusted one, and the number of trusted hops, including the peer. An entry that is not an address
// ("unknown", "_hidden", a name) ends the walk; the last hop with an address is then the visitor.
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

// atClient returns the entry written by the hop next to the visitor: the entry number hops from the right, or the
// leftmost one if some hops added none or overwrote the list.
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

// fromRight yields the entries of a list header from the last to the first. Multiple header lines form one list, and
// empty entries are skipped (RFC 9110, sections 5.3 and 5.6.1).
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

// Address parses an address with or without a port. An IPv6 address may be in brackets. IPv4-mapped IPv6 addresses are
// unmapped and zones are removed, so that a visitor has only one address. It returns the zero Addr for anything else.
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
