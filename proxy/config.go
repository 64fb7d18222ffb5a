package proxy

import (
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

// Config is the section proxy of the YAML file.
type Config struct {
	Origin          string             `yaml:"origin" json:"origin"`           // HubSpot's origin, https://HUBID.sites-proxy.hscoscdnNN.net
	OriginHost      string             `yaml:"origin_host" json:"origin_host"` // Host header and SNI; default: Origin's
	ClientIPHeaders []string           `yaml:"client_ip_headers" json:"client_ip_headers"`
	Default         string             `yaml:"default" json:"default"` // public | login
	Rules           []RuleConfig       `yaml:"rules" json:"rules"`
	HubSpot         DoorsConfig        `yaml:"hubspot" json:"hubspot"`
	FilesCache      string             `yaml:"files_cache" json:"files_cache"` // none | private
	Tests           []TestConfig       `yaml:"tests" json:"tests"`
	Timeouts        Timeouts           `yaml:"timeouts" json:"timeouts"`
	MaxRequestBody  setting.SizeOrNone `yaml:"max_request_body" json:"max_request_body"`
}

// RuleConfig is one entry of proxy.rules. Nil lists were not given; an empty list that was given is an error.
type RuleConfig struct {
	Path       setting.Words            `yaml:"path" json:"path"`     // one pattern or a list
	Access     string                   `yaml:"access" json:"access"` // login (default) | public | refuse is not a rule's word
	Name       string                   `yaml:"name" json:"name"`
	Hosts      []string                 `yaml:"hosts" json:"hosts"`
	Groups     []string                 `yaml:"groups" json:"groups"`
	Claims     map[string]setting.Words `yaml:"claims" json:"claims"`
	MaxAuthAge setting.Duration         `yaml:"max_auth_age" json:"max_auth_age"` // 0 = not given
	Methods    []string                 `yaml:"methods" json:"methods"`
	// Line is where the rule stands in the file: for messages and explain.
	Line int `yaml:"-" json:"-"`
}

// DoorsConfig says what HubSpot's own doors ask for: public | login | login_if_protected | refuse.
type DoorsConfig struct {
	Previews      string   `yaml:"previews" json:"previews"`
	PreviewGroups []string `yaml:"preview_groups" json:"preview_groups"`
	Debug         string   `yaml:"debug" json:"debug"`
	Diagnostics   string   `yaml:"diagnostics" json:"diagnostics"`
	Search        string   `yaml:"search" json:"search"`
	SearchPage    string   `yaml:"search_page" json:"search_page"`
}

// TestConfig is one entry of proxy.tests: a URL, as whom, and the decision that is expected.
type TestConfig struct {
	URL    string  `yaml:"url" json:"url"`
	As     *TestAs `yaml:"as" json:"as"` // nil: nobody is logged in
	Expect string  `yaml:"expect" json:"expect"`
}

// TestAs is who a test is logged in as.
type TestAs struct {
	Groups []string                 `yaml:"groups" json:"groups"`
	Claims map[string]setting.Words `yaml:"claims" json:"claims"`
}

// Timeouts bound what the gateway waits for at the origin.
type Timeouts struct {
	Dial           setting.Duration `yaml:"dial" json:"dial"`
	TLS            setting.Duration `yaml:"tls" json:"tls"`
	ResponseHeader setting.Duration `yaml:"response_header" json:"response_header"`
	Idle           setting.Duration `yaml:"idle" json:"idle"`
}

// DefaultConfig is the section as it is when the file does not have it.
func DefaultConfig() Config {
	return Config{
		ClientIPHeaders: []string{"X-Forwarded-For", "X-HubSpot-Client-IP", "X-Client-IP"},
		HubSpot: DoorsConfig{
			Previews: "login", Debug: "refuse", Diagnostics: "refuse",
			Search: "login_if_protected", SearchPage: "/hs-search-results",
		},
		FilesCache: setting.None,
		Timeouts: Timeouts{
			Dial: setting.Duration(5 * time.Second), TLS: setting.Duration(5 * time.Second),
			ResponseHeader: setting.Duration(30 * time.Second), Idle: setting.Duration(90 * time.Second),
		},
	}
}
