package proxy

import (
	"strings"
	"testing"
)

const goodOrigin = "https://4711.sites-proxy.hscoscdn10.net"

// configMistakes are configurations with one mistake each.
var configMistakes = []struct {
	name            string
	Change          func(*Config)
	key, text, cure string // parts of them; no key: nothing is wrong
}{
	{"nothing", func(*Config) {}, "", "", ""},
	{"no origin", func(c *Config) { c.Origin = "" }, "proxy.origin", "required", "https://HUBID"},
	{
		"placeholder", func(c *Config) { c.Origin = "https://REPLACE_HUBID.sites-proxy.hscoscdn10.net" },
		"proxy.origin", "placeholder", "https://HUBID",
	},
	{
		"no scheme", func(c *Config) { c.Origin = "4711.sites-proxy.hscoscdn10.net" },
		"proxy.origin", "is not a URL", "write https://4711.sites-proxy",
	},
	{"ftp", func(c *Config) { c.Origin = "ftp://example.com" }, "proxy.origin", "is not a URL", ""},
	{
		"path", func(c *Config) { c.Origin = goodOrigin + "/x" },
		"proxy.origin", "more than scheme", `write only "` + goodOrigin,
	},
	{
		"password", func(c *Config) { c.Origin = "https://user:geheim@4711.sites-proxy.hscoscdn10.net" },
		"proxy.origin", "more than scheme", "",
	},
	{"query", func(c *Config) { c.Origin = goodOrigin + "?x" }, "proxy.origin", "more than scheme", ""},
	{
		"unencrypted", func(c *Config) { c.Origin = "http://4711.sites-proxy.hscoscdn10.net" },
		"proxy.origin", "unencrypted", "https://",
	},
	{"loopback", func(c *Config) { c.Origin = "http://127.0.0.1:8082" }, "", "", ""},
	{"localhost", func(c *Config) { c.Origin = "http://localhost:8082/" }, "", "", ""},
	{"IPv6 loopback", func(c *Config) { c.Origin = "http://[::1]:8082" }, "", "", ""},
	{
		"system domain", func(c *Config) { c.Origin = "https://4711.hs-sites.com" },
		"proxy.origin", "system domain", "sites-proxy",
	},
	{
		"no sites-proxy", func(c *Config) { c.Origin = "https://4711.hscoscdn10.net" },
		"proxy.origin", "not a valid HubSpot origin", "",
	},
	{
		"no HubID", func(c *Config) { c.Origin = "https://www.sites-proxy.hscoscdn10.net" },
		"proxy.origin", "HubID", "HubSpot account ID",
	},
	{
		"origin_host with a scheme", func(c *Config) { c.OriginHost = "https://www.example.com" },
		"proxy.origin_host", "is not a host", "www.example.com",
	},
	{
		"files_cache", func(c *Config) { c.FilesCache = "shared" },
		"proxy.files_cache", `"shared"`, "none, private",
	},
	{"timeout", func(c *Config) { c.Timeouts.Dial = 0 }, "proxy.timeouts.dial", "greater than 0", "5s"},
	{"idle", func(c *Config) { c.Timeouts.Idle = 0 }, "proxy.timeouts.idle", "greater than 0", ""},
	{
		"header name", func(c *Config) { c.ClientIPHeaders = []string{"X Forwarded"} },
		"proxy.client_ip_headers[0]", "is not a header name", "",
	},
}

func TestConfigMistakesHavePlaceAndCure(t *testing.T) {
	t.Parallel()
	for _, c := range configMistakes {
		cfg := testConfig(goodOrigin)
		c.Change(&cfg)
		problems := cfg.Validate()
		if c.key == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %+v", c.name, problems)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Key != c.key || !strings.Contains(problems[0].Text, c.text) ||
			!strings.Contains(problems[0].Cure, c.cure) || problems[0].Cure == "" {
			t.Errorf("%s: %+v, want one at %s with %q and %q", c.name, problems, c.key, c.text, c.cure)
			continue
		}
		if strings.Contains(problems[0].Text+problems[0].Cure, "geheim") {
			t.Errorf("%s: shows a password: %+v", c.name, problems[0])
		}
	}
}
