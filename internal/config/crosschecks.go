package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy"
)

// crossCheck returns what is wrong between sections. Each section checks itself in its Validate method.
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

// crossTrust requires trusted_proxies when TLS ends in front of hubgate: forwarding headers from anyone else could be
// forged.
func crossTrust(c *Config) []setting.Problem {
	if c.Server.TLS.Mode != setting.None || len(c.Server.TrustedProxies) > 0 {
		return nil
	}
	for _, site := range c.Server.Sites() {
		if site.Secure() {
			return setting.Mistake("server.trusted_proxies", "required, because public URLs are https and tls.mode is none: "+
				"hubgate must know the load balancer that terminates TLS",
				"list its networks, or write trusted_proxies: [private] for all private addresses, "+
					"or none to ignore forwarding headers")
		}
	}
	return nil
}

// crossForwardAuth requires trusted proxies when /oauth2/auth reads the original request from headers.
func crossForwardAuth(c *Config) []setting.Problem {
	if c.Auth.ForwardAuth != proxy.ForwardAuthHeaders || len(c.Server.Trusted()) > 0 {
		return nil
	}
	return setting.Mistake("auth.forward_auth", "headers are accepted only from server.trusted_proxies, which lists none",
		"list the addresses of Traefik or Caddy in server.trusted_proxies, or write forward_auth: query")
}

// crossScheme rejects http URLs with TLS, because a listener serves only one of them.
func crossScheme(c *Config) []setting.Problem {
	if c.Server.TLS.Mode == setting.None {
		return nil
	}
	var problems []setting.Problem
	for i, text := range c.Server.PublicURLs {
		if strings.HasPrefix(strings.ToLower(text), "http://") {
			problems = append(problems, setting.Mistake("server.public_urls["+strconv.Itoa(i)+"]",
				"must be https, because tls.mode is "+c.Server.TLS.Mode, "write https://")...)
		}
	}
	return problems
}

// crossRuleHosts rejects hosts of rules that are not public hosts.
func crossRuleHosts(c *Config) []setting.Problem {
	hosts := c.Server.meantHosts()
	if len(hosts) == 0 {
		return nil // server.public_urls is reported
	}
	var problems []setting.Problem
	for i, rule := range c.Proxy.Rules {
		for j, host := range rule.Hosts {
			if !slices.Contains(hosts, strings.TrimSuffix(strings.ToLower(host), ".")) {
				problems = append(problems, setting.Mistake(fmt.Sprintf("proxy.rules[%d].hosts[%d]", i, j),
					fmt.Sprintf("%q is not a public host, so the rule never matches there", setting.Shorten(host)),
					"write a host of server.public_urls: "+strings.Join(hosts, ", "))...)
			}
		}
	}
	return problems
}

// crossEmbedded warns about the embedded Redis, and rejects ACME with it: certificates would be ordered at every start,
// until the authority's rate limit.
func crossEmbedded(c *Config) []setting.Problem {
	if c.Session.Redis.Mode != "embedded" {
		return nil
	}
	problems := warning("session.redis.mode", "the embedded Redis is for trials: sessions and queued contacts are lost "+
		"at every restart, and other replicas cannot see them", "set mode: single and urls in production")
	if c.Server.TLS.Mode == "acme" {
		problems = append(problems, setting.Mistake("server.tls.mode",
			"mode acme needs a lasting Redis: the embedded one loses the certificates at every restart",
			"set session.redis.urls, or server.tls.mode: files")...)
	}
	return problems
}

// crossAdmin warns about an admin token that can be guessed.
func crossAdmin(c *Config) []setting.Problem {
	const enough = 16
	if n := len(c.Server.AdminToken.Reveal()); n > 0 && n < enough {
		return warning("server.admin_token", fmt.Sprintf("too short: %d characters can be guessed", n),
			"use at least 16 random characters, such as the output of hubgate keygen")
	}
	return nil
}

// crossCookie requires the prefix __Host- over https, and rejects it over http, where browsers ignore such a cookie.
func crossCookie(c *Config) []setting.Problem {
	name := c.Session.CookieName
	if name == "" {
		return nil
	}
	bare, prefixed := strings.CutPrefix(name, "__Host-")
	name, bare = setting.Shorten(name), setting.Shorten(bare)
	for _, site := range c.Server.Sites() {
		switch {
		case site.Secure() && !prefixed:
			return setting.Mistake("session.cookie_name",
				fmt.Sprintf("%q lacks the prefix __Host-, which protects cookies of %s", name, site.Origin()), "write __Host-"+bare)
		case !site.Secure() && prefixed:
			return setting.Mistake("session.cookie_name",
				fmt.Sprintf("%q needs https, but the public URL is %s", name, site.Origin()), "write "+bare)
		}
	}
	return nil
}
