package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

// ServerConfig is the section server of the YAML file.
type ServerConfig struct {
	PublicURLs     []string            `yaml:"public_urls" json:"public_urls"`
	RedirectFrom   map[string][]string `yaml:"redirect_from" json:"redirect_from"` // public host -> its other names
	Listen         string              `yaml:"listen" json:"listen"`
	AdminListen    string              `yaml:"admin_listen" json:"admin_listen"`
	AdminToken     setting.Secret      `yaml:"admin_token" json:"admin_token"`
	TrustedProxies setting.Words       `yaml:"trusted_proxies" json:"trusted_proxies"` // CIDRs, or private, or none
	TLS            TLSConfig           `yaml:"tls" json:"tls"`
	Limits         LimitsConfig        `yaml:"limits" json:"limits"`
	Pprof          bool                `yaml:"pprof" json:"pprof"`
	DrainDelay     setting.Duration    `yaml:"drain_delay" json:"drain_delay"`
	DrainTimeout   setting.Duration    `yaml:"drain_timeout" json:"drain_timeout"`
}

// LimitsConfig bounds what a visitor's connection may cost.
type LimitsConfig struct {
	HeaderBytes           setting.Size        `yaml:"header_bytes" json:"header_bytes"`
	HeaderTimeout         setting.Duration    `yaml:"header_timeout" json:"header_timeout"`
	IdleTimeout           setting.Duration    `yaml:"idle_timeout" json:"idle_timeout"`
	Connections           setting.CountOrNone `yaml:"connections" json:"connections"`
	ConnectionsPerAddress setting.CountOrNone `yaml:"connections_per_address" json:"connections_per_address"`
}

func DefaultServer() ServerConfig {
	return ServerConfig{
		Listen: ":8080", AdminListen: "127.0.0.1:9090", TLS: TLSConfig{Mode: setting.None},
		Limits: LimitsConfig{
			HeaderBytes: 32 << 10, HeaderTimeout: setting.Duration(10 * time.Second), IdleTimeout: setting.Duration(75 * time.Second),
			Connections: 10_000,
		},
		DrainDelay: setting.Duration(5 * time.Second), DrainTimeout: setting.Duration(30 * time.Second),
	}
}

// Sites are the public URLs that can be read; Validate reports the others.
func (c ServerConfig) Sites() []*inbound.Site {
	var sites []*inbound.Site
	for _, text := range c.PublicURLs {
		if site, ok := inbound.ParseSite(text); ok {
			sites = append(sites, site)
		}
	}
	return sites
}

// Redirects maps the other names to their sites.
func (c ServerConfig) Redirects() map[string]*inbound.Site {
	names := map[string]*inbound.Site{}
	for _, site := range c.Sites() {
		for host, others := range c.RedirectFrom {
			if strings.EqualFold(host, site.Host) {
				for _, other := range others {
					names[strings.ToLower(other)] = site
				}
			}
		}
	}
	return names
}

// privateNetworks are what the word private stands for: loopback, private and link-local addresses.
var privateNetworks = []string{"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10"}

// Trusted are the addresses whose X-Forwarded headers are believed.
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

// parseNetwork reads a CIDR, or a single address.
func parseNetwork(text string) (netip.Prefix, bool) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked(), true
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}

// Validate says what is wrong with the section.
func (c ServerConfig) Validate() []setting.Problem {
	problems := c.validateURLs()
	problems = append(problems, c.validateProxies()...)
	problems = append(problems, c.TLS.validate()...)
	problems = append(problems, c.validateListeners()...)
	problems = append(problems, c.validateRedirects()...)
	if n := c.Limits.HeaderBytes; n < 4<<10 || n > 1<<20 {
		problems = append(problems, setting.Problem{Key: "server.limits.header_bytes", Text: n.String() + " is out of range", Cure: "write a size from 4KiB to 1MiB, such as 32KiB"})
	}
	return problems
}

func (c ServerConfig) validateProxies() []setting.Problem {
	var problems []setting.Problem
	for i, word := range c.TrustedProxies {
		key := "server.trusted_proxies[" + strconv.Itoa(i) + "]"
		if setting.IsNone(word) && len(c.TrustedProxies) > 1 {
			return append(problems, setting.Problem{Key: "server.trusted_proxies", Text: "none cannot be combined with other values", Cure: "write only none, or only the networks"})
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
			problems = append(problems, setting.Problem{Key: key, Text: fmt.Sprintf("%q is not a network", setting.Shorten(word)), Cure: cure})
		case prefix.Bits() < 4: // 2000::/3 is the whole public Internet, and two halves are one as well
			problems = append(problems, setting.Problem{Key: key, Text: word + " is too wide: any client could forge its address and scheme", Cure: "list the networks of your load balancer, or write private"})
		}
	}
	return problems
}

func (c ServerConfig) validateListeners() []setting.Problem {
	var problems []setting.Problem
	for _, l := range []struct{ key, address string }{{"server.listen", c.Listen}, {"server.admin_listen", c.AdminListen}} {
		if !isListenAddress(l.address) {
			problems = append(problems, badListen(l.key, l.address))
		}
	}
	if len(problems) > 0 {
		return problems
	}
	if collide(c.Listen, c.AdminListen) {
		problems = append(problems, setting.Problem{Key: "server.admin_listen", Text: "same address as server.listen", Cure: "write another port, which visitors cannot reach"})
	}
	for _, other := range []struct{ name, address string }{{"server.listen", c.Listen}, {"server.admin_listen", c.AdminListen}} {
		if isListenAddress(c.TLS.HTTPListen) && c.TLS.Mode != setting.None && collide(c.TLS.HTTPListen, other.address) {
			problems = append(problems, setting.Problem{Key: "server.tls.http_listen", Text: "same address as " + other.name, Cure: "write another port, such as :80"})
		}
	}
	if !inbound.IsLoopback(inbound.HostOnly(c.AdminListen)) {
		problems = append(problems, setting.Problem{Key: "server.admin_listen", Warning: true, Text: "metrics and the admin API are reachable from other machines", Cure: "write 127.0.0.1:9090, or block visitors with a firewall"})
	}
	return problems
}

func isListenAddress(address string) bool {
	_, port, err := net.SplitHostPort(address)
	n, bad := strconv.Atoi(port)
	return err == nil && bad == nil && n >= 0 && n <= 65535
}

func badListen(key, address string) setting.Problem {
	cure := "write :8080 or 127.0.0.1:8080"
	if n, err := strconv.Atoi(address); err == nil && n > 0 && n < 65536 {
		cure = fmt.Sprintf(`write ":%d"`, n)
	}
	return setting.Problem{Key: key, Text: fmt.Sprintf("%q is not a listen address", setting.Shorten(address)), Cure: cure}
}

func collide(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	wild := func(h string) bool { return h == "" || h == "0.0.0.0" || h == "::" }
	return portA == portB && portA != "0" && (hostA == hostB || wild(hostA) || wild(hostB))
}

// HostNames are all names under which visitors come, those that redirect among them, without ports.
func (c ServerConfig) HostNames() []string {
	var names []string
	for _, site := range c.Sites() {
		names = append(names, inbound.HostOnly(site.Host))
	}
	for _, name := range setting.SortedNames(c.Redirects()) {
		names = append(names, inbound.HostOnly(name))
	}
	return names
}

// PortOf is the port of a listen address; 0 when it has none.
func PortOf(listen string) int {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(port)
	return n
}
