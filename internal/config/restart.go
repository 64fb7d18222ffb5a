package config

import (
	"reflect"
	"slices"
	"strings"
)

// redisSection is the section whose credentials alone change without a restart.
const redisSection = "session.redis"

// restartOnly lists the keys that need a restart: the settings of listeners, log format and traces, and the names of
// the cookie and of the gateway's own paths.
var restartOnly = map[string]func(*Config) any{
	"server.listen":                func(c *Config) any { return &c.Server.Listen },
	"server.admin_listen":          func(c *Config) any { return &c.Server.AdminListen },
	"server.tls.http_listen":       func(c *Config) any { return &c.Server.TLS.HTTPListen },
	"server.tls.mode":              func(c *Config) any { return &c.Server.TLS.Mode },
	"server.tls.acme":              func(c *Config) any { return &c.Server.TLS.ACME },
	"server.limits.header_bytes":   func(c *Config) any { return &c.Server.Limits.HeaderBytes },
	"server.limits.header_timeout": func(c *Config) any { return &c.Server.Limits.HeaderTimeout },
	"server.limits.idle_timeout":   func(c *Config) any { return &c.Server.Limits.IdleTimeout },
	"server.limits.connections":    func(c *Config) any { return &c.Server.Limits.Connections },
	"server.pprof":                 func(c *Config) any { return &c.Server.Pprof },
	"session.cookie_name":          func(c *Config) any { return &c.Session.CookieName },
	"auth.prefix":                  func(c *Config) any { return &c.Auth.Prefix },
	"log.format":                   func(c *Config) any { return &c.Log.Format },
	"tracing":                      func(c *Config) any { return &c.Tracing },
}

// NeedsRestart reports whether a changed value of a key takes effect only after a restart.
func NeedsRestart(key string) bool {
	if name, inRedis := strings.CutPrefix(key, redisSection+"."); inRedis {
		return !slices.Contains([]string{"username", "password", "sentinel_password"}, name)
	}
	for at := range restartOnly {
		if key == at || strings.HasPrefix(key, at+".") {
			return true
		}
	}
	return false
}

// Pin sets the keys that need a restart to their running values, so that a new generation agrees with the parts that
// live as long as the process. It returns the keys that would have changed.
func Pin(was, is *Config) []string {
	var keys []string
	for key, field := range restartOnly {
		have, want := reflect.ValueOf(field(was)).Elem(), reflect.ValueOf(field(is)).Elem()
		if !reflect.DeepEqual(have.Interface(), want.Interface()) {
			want.Set(have)
			keys = append(keys, key)
		}
	}
	if is.healthPathHidesLogin() { // the new path goes with a new prefix
		is.Server.HealthPath = was.Server.HealthPath
		keys = append(keys, HealthPathKey)
	}
	if pinRedis(was, is) {
		keys = append(keys, redisSection)
	}
	slices.Sort(keys)
	return keys
}

// pinRedis keeps the addresses of Redis and the sentinels. Only credentials may change: each new connection uses the
// current ones. A sentinel password cannot appear or disappear, because a client is created to send one or none.
func pinRedis(was, is *Config) (changed bool) {
	kept := was.Session.Redis
	kept.Username, kept.Password = is.Session.Redis.Username, is.Session.Redis.Password
	if kept.SentinelPassword != "" && is.Session.Redis.SentinelPassword != "" {
		kept.SentinelPassword = is.Session.Redis.SentinelPassword
	}
	changed = !reflect.DeepEqual(kept, is.Session.Redis)
	is.Session.Redis = kept
	return changed
}
