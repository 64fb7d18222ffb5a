package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

// ServerConfig is the section server of the YAML file.
type ServerConfig struct {
	PublicURLs     []string            `yaml:"public_urls" json:"public_urls"`
	RedirectFrom   map[string][]string `yaml:"redirect_from" json:"redirect_from"` // public host -> its other names
	HealthPath     string              `yaml:"health_path" json:"health_path"`     // on the public listeners; or none
	Listen         string              `yaml:"listen" json:"listen"`
	AdminListen    string              `yaml:"admin_listen" json:"admin_listen"`
	AdminToken     setting.Secret      `yaml:"admin_token" json:"admin_token"`
	TrustedProxies setting.Words       `yaml:"trusted_proxies" json:"trusted_proxies"` // networks, or private, or none
	TLS            TLSConfig           `yaml:"tls" json:"tls"`
	Limits         LimitsConfig        `yaml:"limits" json:"limits"`
	Pprof          bool                `yaml:"pprof" json:"pprof"`
	DrainDelay     setting.Duration    `yaml:"drain_delay" json:"drain_delay"`
	DrainTimeout   setting.Duration    `yaml:"drain_timeout" json:"drain_timeout"`
}

// LimitsConfig limits connections: their number, and the size and duration of what clients send.
type LimitsConfig struct {
	HeaderBytes           setting.Size        `yaml:"header_bytes" json:"header_bytes"`
	HeaderTimeout         setting.Duration    `yaml:"header_timeout" json:"header_timeout"`
	IdleTimeout           setting.Duration    `yaml:"idle_timeout" json:"idle_timeout"`
	Connections           setting.CountOrNone `yaml:"connections" json:"connections"`
	ConnectionsPerAddress setting.CountOrNone `yaml:"connections_per_address" json:"connections_per_address"`
}

// DefaultServer returns the section with its defaults.
func DefaultServer() ServerConfig {
	return ServerConfig{
		HealthPath: setting.None, Listen: ":8080", AdminListen: "127.0.0.1:9090", TLS: TLSConfig{Mode: setting.None},
		Limits: LimitsConfig{
			HeaderBytes: 32 << 10, HeaderTimeout: setting.Duration(10 * time.Second),
			IdleTimeout: setting.Duration(75 * time.Second), Connections: 10_000,
		},
		DrainDelay: setting.Duration(5 * time.Second), DrainTimeout: setting.Duration(30 * time.Second),
	}
}

// Sites returns the public URLs that are valid. Validate reports the others.
func (c ServerConfig) Sites() []*inbound.Site {
	var sites []*inbound.Site
	for _, text := range c.PublicURLs {
		if site, ok := inbound.ParseSite(text); ok {
			sites = append(sites, site)
		}
	}
	return sites
}

// Redirects maps each host of redirect_from to the site that it redirects to.
func (c ServerConfig) Redirects() map[string]*inbound.Site {
	names := map[string]*inbound.Site{}
	for _, site := range c.Sites() {
		for host, others := range c.RedirectFrom {
			if !strings.EqualFold(host, site.Host) {
				continue
			}
			for _, other := range others {
				names[strings.ToLower(other)] = site
			}
		}
	}
	return names
}

// HostNames returns all hosts that visitors use, including those that redirect, without ports.
func (c ServerConfig) HostNames() []string {
	var hosts []string
	for _, site := range c.Sites() {
		hosts = append(hosts, inbound.HostOnly(site.Host))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Redirects())) {
		hosts = append(hosts, inbound.HostOnly(name))
	}
	return hosts
}

// Validate returns what is wrong with the section on its own.
func (c ServerConfig) Validate() []setting.Problem {
	problems := c.validateURLs()
	problems = append(problems, c.validateProxies()...)
	problems = append(problems, c.TLS.validate()...)
	problems = append(problems, c.validateListeners()...)
	problems = append(problems, c.validateRedirects()...)
	problems = append(problems, c.validateHealthPath()...)
	if n := c.Limits.HeaderBytes; n < 4<<10 || n > 1<<20 {
		problems = append(problems, setting.Mistake("server.limits.header_bytes", n.String()+" is out of range",
			"write a size from 4KiB to 1MiB, such as 32KiB")...)
	}
	return problems
}
