package config

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

func (c ServerConfig) validateURLs() []setting.Problem {
	if len(c.PublicURLs) == 0 {
		return setting.Mistake("server.public_urls", "required", "write public_urls: [https://www.example.com]")
	}
	var problems []setting.Problem
	seen := map[string]int{}
	for i, text := range c.PublicURLs {
		key := "server.public_urls[" + strconv.Itoa(i) + "]"
		if bad := validatePublicURL(key, text); bad != nil {
			problems = append(problems, bad...)
			continue
		}
		site, _ := inbound.ParseSite(text)
		if first, twice := seen[site.Host]; twice {
			problems = append(problems, setting.Mistake(key,
				fmt.Sprintf("%q is the same host as public_urls[%d]", text, first), "remove one of them")...)
			continue
		}
		seen[site.Host] = i
	}
	return problems
}

func validatePublicURL(key, text string) []setting.Problem {
	if setting.HasPlaceholder(text) {
		return setting.Mistake(key, "the placeholder is still there", "write the URL of your site")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return setting.Mistake(key, fmt.Sprintf("%q is not a URL with scheme and host", setting.Shorten(text)),
			"write https://www.example.com")
	}
	if _, ok := inbound.ParseSite(text); !ok || strings.HasSuffix(text, "/") {
		return setting.Mistake(key, fmt.Sprintf("%q has more than scheme, host and port", setting.Shorten(u.Redacted())),
			"write "+u.Scheme+"://"+u.Host)
	}
	if bad := validatePublicHost(key, u); bad != nil {
		return bad
	}
	if u.Scheme == "http" && !inbound.IsLoopback(u.Hostname()) {
		return setting.Mistake(key, "http would expose session cookies on the network",
			"write https://"+u.Host+"; http:// is allowed only for loopback hosts")
	}
	return nil
}

// validatePublicHost checks the host and the port of a public URL.
func validatePublicHost(key string, u *url.URL) []setting.Problem {
	host := strings.ToLower(u.Hostname())
	if ascii, err := idna.Lookup.ToASCII(u.Hostname()); err == nil && ascii != host {
		return setting.Mistake(key, fmt.Sprintf("%q must be in the form that browsers send (Punycode)", u.Hostname()),
			"write "+u.Scheme+"://"+strings.Replace(u.Host, u.Hostname(), ascii, 1))
	}
	if strings.Contains(host, ".hs-sites") || strings.Contains(host, ".sites-proxy.") {
		return setting.Mistake(key, fmt.Sprintf("%q is a host of HubSpot, which never leads to the gateway", host),
			"write the URL that visitors use; HubSpot's host belongs in proxy.origin")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return setting.Mistake(key, fmt.Sprintf("%q is not a port", port), "write a port from 1 to 65535, or none")
		}
	}
	if !isHostName(u.Hostname()) {
		return setting.Mistake(key, fmt.Sprintf("%q is not a host name", u.Hostname()),
			"write each public host by name; wildcards are not supported")
	}
	return nil
}

// isHostName accepts names and IP addresses. Names may have letters of any script. An address has no zone, which no
// browser sends, and which may have any characters.
func isHostName(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Zone() == ""
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		if _, err := idna.Lookup.ToASCII(host); err != nil {
			return false // such as with characters that change the reading direction
		}
	}
	invalid := func(r rune) bool { return r < 0x80 && !isAlphanumeric(r) && r != '-' }
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if label == "" || strings.Trim(label, "-") != label || strings.ContainsFunc(label, invalid) {
			return false
		}
	}
	return true
}

func isAlphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// meantHosts returns the public hosts, also those of URLs with mistakes: other keys may name them.
func (c ServerConfig) meantHosts() []string {
	var hosts []string
	for _, text := range c.PublicURLs {
		if site, ok := inbound.ParseSite(text); ok {
			hosts = append(hosts, site.Host)
			continue
		}
		_, rest, found := strings.Cut(text, ":/")
		if !found {
			rest = text
		}
		rest = strings.TrimLeft(strings.TrimSpace(rest), "/")
		if end := strings.IndexAny(rest, "/?#"); end >= 0 {
			rest = rest[:end]
		}
		hosts = append(hosts, strings.ToLower(rest[strings.LastIndexByte(rest, '@')+1:]))
	}
	return hosts
}

func (c ServerConfig) validateRedirects() []setting.Problem {
	taken := map[string]bool{}
	for _, host := range c.meantHosts() {
		taken[host] = true
	}
	public := maps.Clone(taken)
	var problems []setting.Problem
	for _, host := range slices.Sorted(maps.Keys(c.RedirectFrom)) {
		key := setting.Join("server.redirect_from", host)
		if len(public) > 0 && !public[strings.ToLower(host)] {
			problems = append(problems, setting.Mistake(key, fmt.Sprintf("%q is not a public host", setting.Shorten(host)),
				"write a host of server.public_urls: [its other names]")...)
		}
		for i, other := range c.RedirectFrom[host] {
			entry := key + "[" + strconv.Itoa(i) + "]"
			switch {
			case !isHostName(inbound.HostOnly(other)) || strings.Contains(other, "/"):
				problems = append(problems, setting.Mistake(entry, fmt.Sprintf("%q is not a host", setting.Shorten(other)),
					"write only the host, such as example.com")...)
			case taken[strings.ToLower(other)]:
				problems = append(problems, setting.Mistake(entry,
					fmt.Sprintf("%q is already a public host or a redirect", other), "remove it from one of them")...)
			}
			taken[strings.ToLower(other)] = true
		}
	}
	return problems
}
