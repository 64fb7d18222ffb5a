package proxy

import (
	"time"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// Config is the section proxy of the YAML file.
type Config struct {
	// Origin is HubSpot's origin, https://HUBID.sites-proxy.hscoscdnNN.net.
	Origin          string              `yaml:"origin" json:"origin"`
	OriginHost      string              `yaml:"origin_host" json:"origin_host"` // Host header and SNI, if not Origin's
	ClientIPHeaders []string            `yaml:"client_ip_headers" json:"client_ip_headers"`
	Default         string              `yaml:"default" json:"default"` // public | login
	Rules           []rules.RuleConfig  `yaml:"rules" json:"rules"`
	HubSpot         rules.HubSpotConfig `yaml:"hubspot" json:"hubspot"`
	FilesCache      string              `yaml:"files_cache" json:"files_cache"` // none | private
	Tests           []rules.TestConfig  `yaml:"tests" json:"tests"`
	Timeouts        Timeouts            `yaml:"timeouts" json:"timeouts"`
	MaxRequestBody  setting.SizeOrNone  `yaml:"max_request_body" json:"max_request_body"`
}

// AccessRules returns the part of the section that decides who may see which page.
func (c Config) AccessRules() rules.Config {
	return rules.Config{Default: c.Default, Rules: c.Rules, HubSpot: c.HubSpot, Tests: c.Tests}
}

// Timeouts limit how long the gateway waits for the origin.
type Timeouts struct {
	Dial           setting.Duration `yaml:"dial" json:"dial"`
	TLS            setting.Duration `yaml:"tls" json:"tls"`
	ResponseHeader setting.Duration `yaml:"response_header" json:"response_header"`
	Idle           setting.Duration `yaml:"idle" json:"idle"`
}

// DefaultConfig is the section of a file that does not have it.
func DefaultConfig() Config {
	return Config{
		ClientIPHeaders: []string{"X-Forwarded-For", "X-HubSpot-Client-IP", "X-Client-IP"},
		HubSpot:         rules.DefaultHubSpot(),
		FilesCache:      setting.None,
		Timeouts: Timeouts{
			Dial: setting.Duration(5 * time.Second), TLS: setting.Duration(5 * time.Second),
			ResponseHeader: setting.Duration(30 * time.Second), Idle: setting.Duration(90 * time.Second),
		},
	}
}
