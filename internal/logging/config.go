package logging

import (
	"github.com/hubgate/hubgate/internal/setting"
)

// Config is the section log of the YAML file.
type Config struct {
	Level  string `yaml:"level" json:"level"`   // debug | info | warn | error
	Format string `yaml:"format" json:"format"` // json | text
	Access bool   `yaml:"access" json:"access"`
	Email  string `yaml:"email" json:"email"` // hash | full | none
}

func Default() Config {
	return Config{Level: "info", Format: "json", Access: true, Email: "hash"}
}

// Validate says what is wrong with the section.
func (c Config) Validate() []setting.Problem {
	problems := setting.WordProblem("log.level", c.Level, "debug", "info", "warn", "error")
	problems = append(problems, setting.WordProblem("log.format", c.Format, "json", "text")...)
	return append(problems, setting.WordProblem("log.email", c.Email, "hash", "full", setting.None)...)
}
