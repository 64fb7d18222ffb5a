package schema

func sessionKeys() []Key {
	return append([]Key{
		{Path: "session", Text: "sessions of logged-in visitors", Required: true},
		{
			Path: "session.keys", Required: true, NotEmpty: true, Shown: "[REPLACE_KEY]",
			Examples: []string{`["${HUBGATE_KEY}"]`},
			Text:     "keys from `hubgate keygen`; the first encrypts, all of them decrypt",
			More:     "32 bytes in base64.",
		},
		{Path: "session.lifetime", Examples: []string{"8h"}, Text: "maximum duration of a session, from the login"},
		{
			Path: "session.idle_timeout", Examples: []string{"30m"},
			Text: "time since the last protected page, or none; for shared computers",
		},
		{
			Path: "session.cookie_name", Examples: []string{"__Host-portal"},
			Text: "name of the cookie; empty: `__Host-hubgate`, on loopback http `hubgate`",
			More: "With https, a name must begin with `__Host-`.",
		},
		{
			Path: "session.cache_ttl", Examples: []string{"30s"},
			Text: "how long a replica may reuse a session it has read; none: always ask Redis",
		},
		{
			Path: "session.outage_grace", Examples: []string{"15m"},
			Text: "how long a replica accepts known sessions while Redis is down; or none",
		},
	}, redisKeys()...)
}

func redisKeys() []Key {
	return []Key{
		{Path: "session.redis", Text: "the Redis that all replicas share: sessions, contact queue, certificates"},
		{
			Path: "session.redis.mode", Words: []string{"single", "sentinel", "cluster", "embedded"},
			Text: "`embedded` is for evaluation",
			More: "It runs in the process and keeps nothing.",
		},
		{
			Path: "session.redis.urls", Examples: []string{`["rediss://redis.example.com:6379/0"]`},
			Text: "`rediss://` for TLS; several for sentinel and cluster; without credentials",
			More: "Mode sentinel: the addresses of the sentinels.",
		},
		{Path: "session.redis.master_name", Text: "mode sentinel: name of the master", Examples: []string{"hubgate"}},
		{Path: "session.redis.username", Text: "user in Redis", Examples: []string{"hubgate"}},
		{
			Path: "session.redis.password", Examples: []string{"${file:/run/secrets/redis}"},
			Text: "Redis's password; `${file:PATH}` is read again for each connection",
		},
		{
			Path: "session.redis.sentinel_password", Examples: []string{"${file:/run/secrets/sentinel}"},
			Text: "mode sentinel: the sentinels' password",
		},
		{
			Path: "session.redis.ca_file", Examples: []string{"/run/secrets/redis-ca.crt"},
			Text: "a private certificate authority for `rediss://`",
		},
		{Path: "session.redis.key_prefix", Text: "prefix of every key in Redis", Examples: []string{`"portal:"`}},
	}
}
