package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// TestIPv6Listeners has both listeners on an IPv6 address, with a public URL for it, a trusted proxy, and the commands
// that call the admin listener.
func TestIPv6Listeners(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{bare: true, config: config{
		"server.health_path": "/healthz", "server.trusted_proxies": `["::1"]`}})
	loopback := func(port int) string { return "[::1]:" + strconv.Itoa(port) }
	g := s.newGateway()
	g.set(config{
		"server.listen": `"` + loopback(g.port) + `"`, "server.admin_listen": `"` + loopback(g.admin) + `"`,
		"server.public_urls": `["http://` + loopback(g.port) + `"]`})
	g.start()
	host := " HTTP/1.1\r\nHost: " + loopback(g.port) + "\r\nX-Forwarded-For: 2001:db8::7\r\n\r\n"
	for request, want := range map[string]int{
		"GET /healthz HTTP/1.0\r\n\r\n":                            http.StatusOK,
		"OPTIONS /healthz HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n": http.StatusOK,
		"GET /pricing" + host:                                      http.StatusOK,
		"GET /members/" + host:                                     http.StatusUnauthorized,
		"GET /pricing HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n":     http.StatusMisdirectedRequest,
	} {
		if got := ask(t, dial(t, loopback(g.port)), request); got.StatusCode != want {
			t.Errorf("%q: %d", request, got.StatusCode)
		}
	}
	got := s.origin.requests()
	if len(got) != 1 || got[0].Header.Get("X-Forwarded-For") != "2001:db8::7" {
		t.Errorf("%d requests reached HubSpot", len(got))
	}
	if out := g.must("healthcheck", "--ready"); out != "ok\n" {
		t.Errorf("healthcheck prints %q", out)
	}
	if out := g.must("sessions", "list"); strings.Contains(out, "not responding") {
		t.Errorf("sessions list prints %q", out)
	}
	probe := ask(t, dial(t, loopback(g.admin)), "OPTIONS /readyz/ HTTP/1.0\r\n\r\n")
	if probe.StatusCode != http.StatusOK {
		t.Errorf("the admin listener: %d", probe.StatusCode)
	}
}
