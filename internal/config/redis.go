package config

import (
	"strings"

	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/setting"
)

// checkCA reads the certificate of the authority that Redis is verified with, which serve opens at its start.
func (c *Config) checkCA() []setting.Problem {
	file := c.Session.Redis.CAFile
	if file == "" {
		return nil
	}
	if _, err := redisclient.TLSConfig(file); err != nil {
		return setting.Mistake("session.redis.ca_file", strings.TrimPrefix(err.Error(), "session: redis.ca_file: "),
			"write the path of a PEM file with the authority's certificate")
	}
	return nil
}

// unusedKeys returns the keys that have no effect with the embedded Redis, which has its own address and credentials.
func (c *Config) unusedKeys(rep *Report) (problems []setting.Problem) {
	r := c.Session.Redis
	if r.Mode != "embedded" {
		return nil
	}
	_, urls := rep.at["session.redis.urls"] // urls have a default
	for _, key := range []struct {
		name  string
		given bool
	}{
		{"urls", urls && len(r.URLs) > 0}, {"username", r.Username != ""}, {"password", r.Password != ""},
		{"ca_file", r.CAFile != ""},
	} {
		if key.given {
			problems = append(problems, setting.Mistake("session.redis."+key.name, "has no effect with mode: embedded",
				"remove it, or set mode: single")...)
		}
	}
	return problems
}
