package config

import (
	"fmt"
	"net"
	"strconv"

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
	if !inbound.IsLoopback(inbound.HostOnly(c.AdminListen)) {
		problems = append(problems, warning("server.admin_listen",
			"metrics and the admin API are reachable from other machines",
			"write 127.0.0.1:9090, or block visitors with a firewall")...)
	}
	return problems
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
	cure := "write :8080 or 127.0.0.1:8080"
	if n, err := strconv.Atoi(address); err == nil && n > 0 && n < 65536 {
		cure = fmt.Sprintf(`write ":%d"`, n)
	}
	return setting.Mistake(key, fmt.Sprintf("%q is not a listen address", setting.Shorten(address)), cure)
}

// collide reports whether two listen addresses cannot be used at the same time.
func collide(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	wild := func(h string) bool { return h == "" || h == "0.0.0.0" || h == "::" }
	return portA == portB && portA != "0" && (hostA == hostB || wild(hostA) || wild(hostB))
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
