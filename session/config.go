package session

import (
	"time"

	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/setting"
)

// Config is the section session of the YAML file.
type Config struct {
	Keys        []setting.Secret       `yaml:"keys" json:"keys"`                 // 32 bytes in base64; the first one seals
	Lifetime    setting.Duration       `yaml:"lifetime" json:"lifetime"`         // absolute, from the login
	IdleTimeout setting.DurationOrNone `yaml:"idle_timeout" json:"idle_timeout"` // since the last request
	CookieName  string                 `yaml:"cookie_name" json:"cookie_name"`   // "" = __Host-hubgate (https) or hubgate
	CacheTTL    setting.DurationOrNone `yaml:"cache_ttl" json:"cache_ttl"`       // none = each request asks Redis
	OutageGrace setting.DurationOrNone `yaml:"outage_grace" json:"outage_grace"` // use of known sessions without Redis
	Redis       redisclient.Config     `yaml:"redis" json:"redis"`
}

// DefaultConfig returns the section's defaults.
func DefaultConfig() Config {
	return Config{
		Lifetime:    setting.Duration(12 * time.Hour),
		CacheTTL:    setting.DurationOrNone(5 * time.Second),
		OutageGrace: setting.DurationOrNone(2 * time.Minute),
		Redis:       redisclient.DefaultConfig(),
	}
}
