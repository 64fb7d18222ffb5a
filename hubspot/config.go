package hubspot

import (
	"time"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/setting"
)

// Config is the hubspot section of the configuration.
type Config struct {
	HubID       int64          `yaml:"hub_id" json:"hub_id"`
	AccessToken setting.Secret `yaml:"access_token" json:"access_token"` // empty: contact sync is off
	APIURL      string         `yaml:"api_url" json:"api_url"`
	APIVersion  string         `yaml:"api_version" json:"api_version"`
	RateLimit   setting.Rate   `yaml:"rate_limit" json:"rate_limit"` // shared by all replicas
	Contacts    mapping.Config `yaml:"contacts" json:"contacts"`
	Visitors    VisitorsConfig `yaml:"visitors" json:"visitors"`
	Access      access.Config  `yaml:"access" json:"access"`
}

// VisitorsConfig controls whether a browser's HubSpot history is linked to the contact after login.
type VisitorsConfig struct {
	Link           string `yaml:"link" json:"link"` // none | form
	FormID         string `yaml:"form_id" json:"form_id"`
	FormURL        string `yaml:"form_url" json:"form_url"`
	ForgetOnLogout bool   `yaml:"forget_on_logout" json:"forget_on_logout"`
}

// CRM returns the settings for calls to HubSpot's API.
func (c Config) CRM() crm.Config {
	return crm.Config{
		HubID: c.HubID, AccessToken: c.AccessToken, APIURL: c.APIURL, APIVersion: c.APIVersion, RateLimit: c.RateLimit,
		FormURL: c.Visitors.FormURL, FormID: c.Visitors.FormID,
	}
}

// DefaultConfig returns the defaults of the section.
func DefaultConfig() Config {
	return Config{
		APIURL:     "https://api.hubapi.com",
		APIVersion: "2026-09",
		RateLimit:  setting.Rate{Requests: 90, Per: setting.Duration(10 * time.Second)},
		Contacts: mapping.Config{
			Sync: true, RequireVerifiedEmail: true, MinInterval: setting.Duration(15 * time.Minute),
		},
		Visitors: VisitorsConfig{Link: setting.None, FormURL: "https://api.hsforms.com"},
		Access:   access.DefaultConfig(),
	}
}
