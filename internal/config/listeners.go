package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

// validateListeners checks the addresses to listen on, each for itself and against the others.
func (c ServerConfig) validateListeners() []setting.Problem {
	listeners := []struct{ key, address string }{
		{"server.listen", c.Listen}, {"server.admin_listen", c.AdminListen},
	}
	var problems []setting.Problem
	for _, l := range listeners {
		problems = append(problems, validateListen(l.key, l.address)...)
	}
	if len(problems) > 0 {
		return problems
	}
	if collide(c.Listen, c.AdminListen) {
		problems = append(problems, setting.Mistake("server.admin_listen", "same address as server.listen",
			"write another port, which visitors cannot reach")...)
	}
	for _, l := range listeners {
		if isListenAddress(c.TLS.HTTPListen) && c.TLS.Mode != setting.None && collide(c.TLS.HTTPListen, l.address) {
			problems = append(problems, setting.Mistake("server.tls.http_listen", "same address as "+l.key,
				"write another port, such as :80")...)
		}
	}
	if c.AdminToken == "" && !isInternal(inbound.HostOnly(c.AdminListen)) { // with a token it is meant for others
		problems = append(problems, warning("server.admin_listen",
			"metrics and health checks, which need no token, are reachable from other machines",
			"write 127.0.0.1:9090, or a private address of this machine, or set server.admin_token and block "+
				"visitors with a firewall")...)
	}
	return problems
}

// isInternal reports whether a host is a loopback or private address. An empty host is every address of the machine.
func isInternal(host string) bool {
	a, err := netip.ParseAddr(host)
	a = a.Unmap()
	return inbound.IsLoopback(host) || err == nil && (a.IsPrivate() || a.IsLinkLocalUnicast())
}

func isListenAddress(address string) bool {
	_, port, err := net.SplitHostPort(address)
	n, bad := strconv.Atoi(port)
	return err == nil && bad == nil && n >= 0 && n <= 65535
}

func validateListen(key, address string) []setting.Problem {
	if isListenAddress(address) {
		return nil
	}
	text, cure := fmt.Sprintf("%q is not a listen address", setting.Shorten(address)), "write :8080 or 127.0.0.1:8080"
	if n, err := strconv.Atoi(address); err == nil && n > 0 && n < 65536 {
		cure = fmt.Sprintf(`write ":%d"`, n)
	} else if bracketed := bracketed(address); bracketed != "" {
		text += ": an IPv6 address needs brackets and a port"
		cure = fmt.Sprintf(`write %q; brackets also work for IPv4, as in "[${POD_IP}]:9090"`, bracketed)
	}
	return setting.Mistake(key, text, cure)
}

// bracketed returns the listen address that is meant by an IPv6 address without brackets or without a port; "" if it is
// none. If the end may be a port, it is one.
func bracketed(address string) string {
	if last := strings.LastIndexByte(address, ':'); last > 0 && isIPv6(address[:last]) {
		if whole := "[" + address[:last] + "]" + address[last:]; isListenAddress(whole) {
			return whole
		}
	}
	if host := strings.TrimSuffix(strings.TrimPrefix(address, "["), "]"); isIPv6(host) {
		return "[" + host + "]:8080"
	}
	return ""
}

func isIPv6(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Is6()
}

// collide reports whether two listen addresses cannot be used at the same time.
func collide(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	return portA == portB && portA != "0" && (sameAddress(hostA, hostB) || isWildcard(hostA) || isWildcard(hostB))
}

// sameAddress reports whether two hosts are one address, which IPv6 can write in several ways. A listener on localhost
// prefers IPv4.
func sameAddress(a, b string) bool {
	addressOf := func(host string) (netip.Addr, error) {
		if strings.EqualFold(host, "localhost") {
			host = "127.0.0.1"
		}
		return netip.ParseAddr(host)
	}
	addressA, errA := addressOf(a)
	addressB, errB := addressOf(b)
	return a == b || errA == nil && errB == nil && addressA.Unmap() == addressB.Unmap()
}

// isWildcard reports whether a listener on a host accepts connections to every address of the machine.
func isWildcard(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "" || err == nil && a.Unmap().IsUnspecified()
}

// LocalURL returns the URL at which this machine reaches one of its listeners.
func LocalURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if isWildcard(host) {
		host = "127.0.0.1" // net.Listen accepts IPv4 on an IPv6 wildcard, too
	}
	return "http://" + net.JoinHostPort(strings.ReplaceAll(host, "%", "%25"), port) // of a zone: RFC 6874
}

// PortOf returns the port of a listen address, or 0 if it has none.
func PortOf(listen string) int {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(port)
	return n
}
