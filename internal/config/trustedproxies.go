package config

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/hubgate/hubgate/internal/setting"
)

// privateNetworks are the networks that the value private means: loopback, private, shared (RFC 6598) and
// link-local addresses.
var privateNetworks = []string{
	"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
	"fc00::/7", "fe80::/10",
}

// Trusted returns the networks whose forwarding headers are accepted.
func (c ServerConfig) Trusted() []netip.Prefix {
	var prefixes []netip.Prefix
	for _, word := range c.TrustedProxies {
		list := []string{word}
		if word == "private" {
			list = privateNetworks
		}
		for _, text := range list {
			if prefix, ok := parseNetwork(text); ok {
				prefixes = append(prefixes, prefix)
			}
		}
	}
	return prefixes
}

// parseNetwork parses a CIDR or a single address.
func parseNetwork(text string) (netip.Prefix, bool) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked(), true
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}

// minNetworkBits is the shortest prefix of a trusted network: 2000::/3 is the whole public IPv6 Internet, and two
// halves of the IPv4 Internet are as wide as one 0.0.0.0/0.
const minNetworkBits = 4

func (c ServerConfig) validateProxies() []setting.Problem {
	var problems []setting.Problem
	for i, word := range c.TrustedProxies {
		key := "server.trusted_proxies[" + strconv.Itoa(i) + "]"
		if setting.IsNone(word) && len(c.TrustedProxies) > 1 {
			return append(problems, setting.Mistake("server.trusted_proxies", "none cannot be combined with other values",
				"write only none, or only the networks")...)
		}
		if setting.IsNone(word) || word == "private" {
			continue
		}
		prefix, ok := parseNetwork(word)
		switch {
		case !ok:
			cure := "write a network such as 10.0.0.0/8, or private or none"
			if near := setting.Nearest(word, []string{"private", setting.None}); near != "" {
				cure = "did you mean " + near + "?"
			}
			problems = append(problems, setting.Mistake(key, fmt.Sprintf("%q is not a network", setting.Shorten(word)), cure)...)
		case prefix.Bits() < minNetworkBits:
			problems = append(problems, setting.Mistake(key, word+" is too wide: any client could forge its address and scheme",
				"list the networks of your load balancer, or write private")...)
		}
	}
	return problems
}
