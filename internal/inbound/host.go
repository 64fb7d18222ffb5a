package inbound

import (
	"net"
	"net/netip"
	"strings"
)

// HostOnly returns the host of a host with or without a port, without the brackets of an IPv6 address.
func HostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// IsLoopback reports whether a host is localhost or a loopback address, including IPv4-mapped ones. Traffic to it does
// not leave this machine.
func IsLoopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
