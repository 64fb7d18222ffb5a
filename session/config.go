package session

import (
	"time"

	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/setting"
)

// Config is the section session of the YAML file.
type Config struct {
	Keys        []setting.Secret       `yaml:"keys" json:"keys"`                 // 32-byte base64; the first seals, all open
	Lifetime    setting.Duration       `yaml:"lifetime" json:"lifetime"`         // absolute, from login
	IdleTimeout setting.DurationOrNone `yaml:"idle_timeout" json:"idle_timeout"` // since the last request that loaded the session
	CookieName  string                 `yaml:"cookie_name" json:"cookie_name"`   // "" = __Host-hubgate (https) or hubgate
	CacheTTL    setting.DurationOrNone `yaml:"cache_ttl" json:"cache_ttl"`       // reuse of a session just read; none = ask Redis every time
	OutageGrace setting.DurationOrNone `yaml:"outage_grace" json:"outage_grace"` // a session read before passes so long while Redis is away
	Redis       redisclient.Config     `yaml:"redis" json:"redis"`
}

// DefaultConfig is the section as it is when the file does not have it.
func DefaultConfig() Config {
	return Config{
		Lifetime:    setting.Duration(12 * time.Hour),
		CacheTTL:    setting.DurationOrNone(5 * time.Second),
		OutageGrace: setting.DurationOrNone(2 * time.Minute),
		Redis:       redisclient.DefaultConfig(),
	}
}
