package doctor

import (
	"context"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/redisserver"
	"github.com/hubgate/hubgate/internal/setting"
)

// checkRedis checks the connection, the version and the settings of Redis, and tries the commands that sessions need.
func (d *doctor) checkRedis(ctx context.Context) []setting.Finding {
	cfg := d.cfg.Session.Redis
	if cfg.Mode == "embedded" {
		return []setting.Finding{warning("redis", "embedded: sessions and the contact queue are lost with the process",
			"use a Redis server in production", "session.redis.mode")}
	}
	clients, err := redisclient.Open(cfg, redisclient.Deps{
		Credentials:      func() (string, string) { return cfg.Username, cfg.Password.Reveal() },
		SentinelPassword: cfg.SentinelPassword.Reveal,
		Observe:          func(context.Context, error, time.Duration) {},
		Report:           func(redisclient.Result) {},
		Log:              d.log,
	})
	if err != nil {
		return []setting.Finding{failed("redis", err.Error(), "", "session.redis")}
	}
	defer clients.Close()
	found, err := redisserver.Examine(ctx, clients.Queue)
	if err != nil {
		return []setting.Finding{redisFinding("redis", err, cfg)}
	}
	first := ok("redis", "version "+found.Version)
	if found.TooOld {
		first = failed("redis", "version "+found.Version, "use Redis 6.2 or newer", "session.redis.urls")
	}
	all := append([]setting.Finding{first}, found.Warnings...)
	if err := redisserver.CheckPermissions(ctx, clients.Queue, cfg.KeyPrefix); err != nil {
		return append(all, redisFinding("redis: use", err, cfg))
	}
	return append(all, ok("redis: use", "scripts, writes and subscriptions work under "+cfg.KeyPrefix))
}

// redisFinding explains an error of Redis or of the connection to it.
func redisFinding(part string, err error, cfg redisclient.Config) setting.Finding {
	detail := strings.TrimPrefix(err.Error(), "redis: ")
	cure, where := redisCure(detail, strings.HasPrefix(strings.Join(cfg.URLs, " "), "rediss:"))
	return failed(part, detail, cure, where)
}

// redisCure returns how to fix an error and where. tls reports whether the addresses are rediss://.
func redisCure(text string, tls bool) (cure, where string) {
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(text, part) {
				return true
			}
		}
		return false
	}
	interrupted := has("EOF", "reset by peer", "broken pipe", "i/o timeout", "deadline exceeded")
	switch {
	case has("NOAUTH"):
		return "write the password: Redis requires one", "session.redis.password"
	case has("WRONGPASS", "invalid username-password", "invalid password", "no password is set"):
		return "write the right username and password", "session.redis.username, session.redis.password"
	case has("NOPERM"):
		return "give the user the permissions in docs/operations.md, section Redis", "Redis' ACL"
	case has("OOM"):
		return "give Redis more memory", "Redis' maxmemory"
	case has("MISCONF", "NOREPLICAS"):
		return "check Redis' log: it refuses writes", "Redis"
	case has("READONLY"):
		return "write the address of the master, or use mode: sentinel", "session.redis.urls"
	case has("LOADING"):
		return "wait until Redis has loaded its data", "Redis"
	case has("all sentinels specified in configuration are unreachable"):
		return "fix the sentinels' addresses, the master's name or the sentinels' password",
			"session.redis.urls, session.redis.master_name, session.redis.sentinel_password"
	case has("has expired"):
		return "renew the certificate of Redis, or set this machine's clock", "Redis' certificate"
	case has("certificate is valid for", "doesn't contain any IP SANs"):
		return "use a name that is in the certificate, or get a certificate for this name", "session.redis.urls"
	case has("first record does not look like a TLS handshake"), tls && interrupted:
		return "this Redis does not use TLS: write redis:// instead of rediss://", "session.redis.urls"
	case has("certificate", "x509", "tls: "):
		return "name a file with the authority that signed Redis' certificate", "session.redis.ca_file"
	case !tls && interrupted:
		return "if this Redis requires TLS, write rediss:// instead of redis://; " +
			"otherwise make it reachable from this machine", "session.redis.urls"
	case has("refused"):
		return "start Redis there, or fix the address", "session.redis.urls"
	case has("lookup "):
		return "fix the host name", "session.redis.urls"
	case has("cluster support disabled"):
		return "this is not a cluster: write mode: single", "session.redis.mode"
	case has("MOVED", "CROSSSLOT"):
		return "this is a cluster: write mode: cluster", "session.redis.mode"
	case has("master", "sentinel"):
		return "write the name that the sentinels watch", "session.redis.master_name"
	case has("DB index", "invalid DB"):
		return "write a database that Redis has", "session.redis.urls"
	}
	return "check the network and Redis' log", "session.redis"
}
