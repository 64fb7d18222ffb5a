package session

import (
	"time"

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
	Redis       RedisConfig            `yaml:"redis" json:"redis"`
}

// RedisConfig says which Redis holds the sessions, the contact queue and the certificates.
type RedisConfig struct {
	Mode             string         `yaml:"mode" json:"mode"` // single | sentinel | cluster | embedded
	URLs             []string       `yaml:"urls" json:"urls"` // redis:// or rediss://, no credentials
	MasterName       string         `yaml:"master_name" json:"master_name"`
	Username         string         `yaml:"username" json:"username"`
	Password         setting.Secret `yaml:"password" json:"password"`
	SentinelPassword setting.Secret `yaml:"sentinel_password" json:"sentinel_password"`
	CAFile           string         `yaml:"ca_file" json:"ca_file"`
	KeyPrefix        string         `yaml:"key_prefix" json:"key_prefix"`
}

// DefaultConfig is the section as it is when the file does not have it.
func DefaultConfig() Config {
	return Config{
		Lifetime:    setting.Duration(12 * time.Hour),
		CacheTTL:    setting.DurationOrNone(5 * time.Second),
		OutageGrace: setting.DurationOrNone(2 * time.Minute),
		Redis:       RedisConfig{Mode: "single", URLs: []string{"redis://127.0.0.1:6379/0"}, KeyPrefix: "hubgate:"},
	}
}
