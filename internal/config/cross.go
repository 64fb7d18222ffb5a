package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy"
)

// crossCheck is the table of what sections say of each other.
func (c *Config) crossCheck() []setting.Problem {
	var problems []setting.Problem
	for _, check := range []func(*Config) []setting.Problem{
		crossTrust, crossForwardAuth, crossScheme, crossOrigin, crossHubID, crossIssuer, crossRuleHosts, crossScopes,
		crossEmbedded, crossAdmin, crossCookie, crossLink, crossPages,
	} {
		problems = append(problems, check(c)...)
	}
	return problems
}

// crossTrust: with https outside and plain HTTP inside somebody ends TLS in front, and hubgate must know who may say so.
func crossTrust(c *Config) []setting.Problem {
	if c.Server.TLS.Mode != setting.None || len(c.Server.TrustedProxies) > 0 {
		return nil
	}
	for _, site := range c.Server.Sites() {
		if site.Secure() {
			return []setting.Problem{{Key: "server.trusted_proxies",
				Text: "required, because public URLs are https and tls.mode is none: hubgate must know the load balancer that ends TLS",
				Cure: "list its networks, or write trusted_proxies: [private] for all private addresses, or none to ignore forwarding headers"}}
		}
	}
	return nil
}

// crossForwardAuth: a question in headers is believed from trusted proxies only.
func crossForwardAuth(c *Config) []setting.Problem {
	if c.Auth.ForwardAuth != proxy.ForwardAuthHeaders || len(c.Server.Trusted()) > 0 {
		return nil
	}
	return []setting.Problem{{Key: "auth.forward_auth",
		Text: "headers are accepted only from server.trusted_proxies, which lists none",
		Cure: "list the addresses of Traefik or Caddy in server.trusted_proxies, or write forward_auth: query"}}
}

// crossScheme: one listener speaks either TLS or not.
func crossScheme(c *Config) []setting.Problem {
	if c.Server.TLS.Mode == setting.None {
		return nil
	}
	var problems []setting.Problem
	for i, text := range c.Server.PublicURLs {
		if strings.HasPrefix(strings.ToLower(text), "http://") {
			problems = append(problems, setting.Problem{Key: "server.public_urls[" + strconv.Itoa(i) + "]", Text: "must be https, because tls.mode is " + c.Server.TLS.Mode, Cure: "write https://"})
		}
	}
	return problems
}

// crossOrigin: an origin that is the gateway itself is asked for ever.
func crossOrigin(c *Config) []setting.Problem {
	u, err := url.Parse(c.Proxy.Origin)
	if err != nil {
		return nil
	}
	loop := func(what string) []setting.Problem {
		return []setting.Problem{{Key: "proxy.origin", Text: fmt.Sprintf("%q is %s: requests would loop", u.Host, what),
			Cure: "write HubSpot's origin, https://HUBID.sites-proxy.hscoscdnNN.net"}}
	}
	if c.isPublic(u) {
		return loop("a public host of this gateway")
	}
	for _, own := range []struct{ address, name string }{{c.Server.Listen, "server.listen"}, {c.Server.AdminListen, "server.admin_listen"}} {
		if inbound.IsLoopback(u.Hostname()) && collide(own.address, net.JoinHostPort(strings.Replace(u.Hostname(), "localhost", "127.0.0.1", 1), u.Port())) {
			return loop("the address of " + own.name)
		}
	}
	return nil
}

// isPublic tells whether a URL leads to one of the gateway's own hosts.
func (c *Config) isPublic(u *url.URL) bool {
	for _, site := range c.Server.Sites() {
		if strings.EqualFold(u.Host, site.Host) || (strings.EqualFold(u.Hostname(), inbound.HostOnly(site.Host)) && !inbound.IsLoopback(u.Hostname())) {
			return true
		}
	}
	return c.Server.Redirects()[strings.ToLower(u.Host)] != nil
}

// crossHubID: the origin says which account's pages are shown, hub_id which account's contacts are kept.
func crossHubID(c *Config) []setting.Problem {
	u, err := url.Parse(c.Proxy.Origin)
	if err != nil || c.HubSpot.HubID <= 0 {
		return nil
	}
	account, rest, _ := strings.Cut(u.Hostname(), ".")
	if id, err := strconv.ParseInt(account, 10, 64); err != nil || id == c.HubSpot.HubID || !strings.HasPrefix(rest, "sites-proxy.") {
		return nil
	}
	return []setting.Problem{{Key: "hubspot.hub_id", Warning: true, Text: fmt.Sprintf("account mismatch: %d, but proxy.origin is for account %s", c.HubSpot.HubID, account), Cure: "use the same HubID in both"}}
}

// crossIssuer: a provider behind the gateway would need a login to log anybody in.
func crossIssuer(c *Config) []setting.Problem {
	u, err := url.Parse(c.Auth.Issuer)
	if err != nil || u.Host == "" || inbound.IsLoopback(u.Hostname()) || !c.isPublic(u) {
		return nil
	}
	return []setting.Problem{{Key: "auth.issuer", Text: fmt.Sprintf("%q is a public host of this gateway, not a login provider", u.Host), Cure: "write the issuer from the provider's discovery document"}}
}

// crossLink: the submission that ties a browser to a contact needs the contact, and the key.
func crossLink(c *Config) []setting.Problem {
	v := c.HubSpot.Visitors
	switch {
	case v.Link == setting.None && v.FormID != "":
		return []setting.Problem{{Key: "hubspot.visitors.form_id", Text: "has no effect with link: none", Cure: "remove it, or set link: form"}}
	case v.Link == "form" && c.HubSpot.AccessToken == "":
		return []setting.Problem{{Key: "hubspot.access_token", Text: "required with visitors.link: form", Cure: "write the service key as ${NAME} or ${file:PATH}, or set visitors.link: none"}}
	case v.Link == "form" && !c.HubSpot.Contacts.Sync:
		return []setting.Problem{{Key: "hubspot.contacts.sync", Text: "must be true with visitors.link: form", Cure: "write sync: true, or set visitors.link: none"}}
	}
	return nil
}

func crossRuleHosts(c *Config) []setting.Problem {
	hosts := c.RulesEnv().Hosts
	var problems []setting.Problem
	for i, rule := range c.Proxy.Rules {
		for j, host := range rule.Hosts {
			if !slices.Contains(hosts, strings.TrimSuffix(strings.ToLower(host), ".")) {
				problems = append(problems, setting.Problem{Key: fmt.Sprintf("proxy.rules[%d].hosts[%d]", i, j),
					Text: fmt.Sprintf("%q is not a public host, so the rule never matches there", setting.Shorten(host)), Cure: "write a host of server.public_urls: " + strings.Join(hosts, ", ")})
			}
		}
	}
	return problems
}

// crossScopes: without the scope email there is nobody to be a contact.
func crossScopes(c *Config) []setting.Problem {
	if c.HubSpot.AccessToken == "" || !c.HubSpot.Contacts.Sync || slices.Contains(c.Auth.Scopes, "email") {
		return nil
	}
	return []setting.Problem{{Key: "auth.scopes", Warning: true, Text: "the scope email is missing, so logins create no contacts", Cure: "add email, or set hubspot.contacts.sync: false"}}
}

func crossEmbedded(c *Config) []setting.Problem {
	if c.Session.Redis.Mode == "embedded" && c.Server.TLS.Mode == "acme" {
		return []setting.Problem{{Key: "server.tls.mode", Text: "mode acme needs a lasting Redis: the embedded one loses the certificates at every restart", Cure: "set session.redis.urls, or server.tls.mode: files"}}
	}
	return nil
}

func crossAdmin(c *Config) []setting.Problem {
	if n := len(c.Server.AdminToken.Reveal()); n > 0 && n < 16 {
		return []setting.Problem{{Key: "server.admin_token", Warning: true, Text: fmt.Sprintf("too short: %d characters can be guessed", n), Cure: "use at least 16 random characters, such as the output of hubgate keygen"}}
	}
	return nil
}

// crossCookie: browsers keep a __Host- cookie only over https, and over https nothing less will do.
func crossCookie(c *Config) []setting.Problem {
	name := c.Session.CookieName
	if name == "" {
		return nil
	}
	for _, site := range c.Server.Sites() {
		bare, prefixed := strings.CutPrefix(name, "__Host-")
		switch name = setting.Shorten(name); {
		case site.Secure() && !prefixed:
			return []setting.Problem{{Key: "session.cookie_name",
				Text: fmt.Sprintf("%q lacks the prefix __Host-, which protects cookies of %s", name, site.Origin()),
				Cure: "write __Host-" + setting.Shorten(bare)}}
		case !site.Secure() && prefixed:
			return []setting.Problem{{Key: "session.cookie_name",
				Text: fmt.Sprintf("%q needs https, but the public URL is %s", name, site.Origin()),
				Cure: "write " + setting.Shorten(bare)}}
		}
	}
	return nil
}
