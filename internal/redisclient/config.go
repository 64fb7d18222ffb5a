package redisclient

import (
	"github.com/hubgate/hubgate/internal/setting"
)

// Config is the section session.redis: where sessions, the contact queue and certificates are stored.
type Config struct {
	Mode             string         `yaml:"mode" json:"mode"` // single | sentinel | cluster | embedded
	URLs             []string       `yaml:"urls" json:"urls"` // redis:// or rediss://, no credentials
	MasterName       string         `yaml:"master_name" json:"master_name"`
	Username         string         `yaml:"username" json:"username"`
	Password         setting.Secret `yaml:"password" json:"password"`
	SentinelPassword setting.Secret `yaml:"sentinel_password" json:"sentinel_password"`
	CAFile           string         `yaml:"ca_file" json:"ca_file"`
	KeyPrefix        string         `yaml:"key_prefix" json:"key_prefix"`
}

// DefaultConfig returns the values of keys that are missing in the file.
func DefaultConfig() Config {
	return Config{Mode: "single", URLs: []string{"redis://127.0.0.1:6379/0"}, KeyPrefix: "hubgate:"}
}
