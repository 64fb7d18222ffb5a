package config

import (
	"fmt"
	"os"
	"strings"

	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/setting"
)

// checkCA reads the authority's certificate that serve needs for Redis.
func (c *Config) checkCA() []setting.Problem {
	file := c.Session.Redis.CAFile
	if file == "" {
		return nil
	}
	if _, err := redisclient.TLSConfig(file); err != nil {
		return []setting.Problem{{Key: "session.redis.ca_file", Text: strings.TrimPrefix(err.Error(), "session: redis.ca_file: "), Cure: "write the path of a PEM file with the authority's certificate"}}
	}
	return nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		return nil, err
	}
	return readBounded(path, maxConfig)
}

// judgeIdle finds the keys that are given and have no effect with the embedded Redis, whose addresses and credentials are its own.
func (c *Config) judgeIdle(rep *Report) {
	r := c.Session.Redis
	if r.Mode != "embedded" {
		return
	}
	_, urls := rep.at["session.redis.urls"]
	for _, key := range []struct {
		name  string
		given bool
	}{{"urls", urls && len(r.URLs) > 0}, {"username", r.Username != ""}, {"password", r.Password != ""}, {"ca_file", r.CAFile != ""}} {
		if key.given {
			rep.add(setting.Problem{Key: "session.redis." + key.name, Text: "has no effect with mode: embedded", Cure: "remove it, or set mode: single"})
		}
	}
}
