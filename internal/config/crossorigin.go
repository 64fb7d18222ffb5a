package config

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

// crossOrigin rejects an origin that is this gateway: its requests would loop.
func crossOrigin(c *Config) []setting.Problem {
	u, err := url.Parse(c.Proxy.Origin)
	if err != nil {
		return nil
	}
	loop := func(what string) []setting.Problem {
		return setting.Mistake("proxy.origin", fmt.Sprintf("%q is %s: requests would loop", u.Host, what),
			"write HubSpot's origin, https://HUBID.sites-proxy.hscoscdnNN.net")
	}
	if c.isPublic(u) {
		return loop("a public host of this gateway")
	}
	if !inbound.IsLoopback(u.Hostname()) {
		return nil
	}
	origin := net.JoinHostPort(u.Hostname(), u.Port())
	for _, own := range []struct{ address, name string }{
		{c.Server.Listen, "server.listen"}, {c.Server.AdminListen, "server.admin_listen"},
	} {
		if collide(own.address, origin) {
			return loop("the address of " + own.name)
		}
	}
	return nil
}

// isPublic reports whether a URL leads to one of the gateway's own hosts.
func (c *Config) isPublic(u *url.URL) bool {
	for _, site := range c.Server.Sites() {
		sameName := strings.EqualFold(u.Hostname(), inbound.HostOnly(site.Host)) && !inbound.IsLoopback(u.Hostname())
		if strings.EqualFold(u.Host, site.Host) || sameName {
			return true
		}
	}
	return c.Server.Redirects()[strings.ToLower(u.Host)] != nil
}

// crossIssuer rejects a provider behind the gateway, which could not be reached without a login.
func crossIssuer(c *Config) []setting.Problem {
	u, err := url.Parse(c.Auth.Issuer)
	if err != nil || u.Host == "" || inbound.IsLoopback(u.Hostname()) || !c.isPublic(u) {
		return nil
	}
	return setting.Mistake("auth.issuer", fmt.Sprintf("%q is a public host of this gateway, not a login provider", u.Host),
		"write the issuer from the provider's discovery document")
}
