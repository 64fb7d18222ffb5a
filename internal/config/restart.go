package config

import (
	"reflect"
	"slices"
)

// restartOnly lists what cannot change in a running process: its listeners and their limits, the place of its Redis, and what names
// were given with.
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

// Pin keeps what cannot change at its running value, so that the parts of a new generation agree with those of the process, and names
// what would have changed.
func Pin(was, is *Config) []string {
	var keys []string
	for key, field := range restartOnly {
		have, want := reflect.ValueOf(field(was)).Elem(), reflect.ValueOf(field(is)).Elem()
		if !reflect.DeepEqual(have.Interface(), want.Interface()) {
			want.Set(have)
			keys = append(keys, key)
		}
	}
	if pinRedis(was, is) {
		keys = append(keys, "session.redis")
	}
	slices.Sort(keys)
	return keys
}

// pinRedis keeps the place of Redis, and of the sentinels; the credentials may change at any time.
func pinRedis(was, is *Config) (changed bool) {
	kept := was.Session.Redis
	kept.Username, kept.Password = is.Session.Redis.Username, is.Session.Redis.Password
	changed = !reflect.DeepEqual(kept, is.Session.Redis)
	is.Session.Redis = kept
	return changed
}
