package logging

import (
	"github.com/hubgate/hubgate/internal/setting"
)

// Config is the section log.
type Config struct {
	Level  string `yaml:"level" json:"level"`   // debug | info | warn | error
	Format string `yaml:"format" json:"format"` // json | text
	Access bool   `yaml:"access" json:"access"`
	Email  string `yaml:"email" json:"email"` // hash | full | none
}

// DefaultConfig returns the values of keys that are missing in the file.
func DefaultConfig() Config {
	return Config{Level: "info", Format: "json", Access: true, Email: "hash"}
}

// Validate returns the mistakes in the section.
func (c Config) Validate() []setting.Problem {
	problems := setting.CheckWord("log.level", c.Level, "debug", "info", "warn", "error")
	problems = append(problems, setting.CheckWord("log.format", c.Format, "json", "text")...)
	return append(problems, setting.CheckWord("log.email", c.Email, "hash", "full", setting.None)...)
}
