package doctor

import (
	"context"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/redisserver"
	"github.com/hubgate/hubgate/internal/setting"
)

func (d *doctor) askRedis(ctx context.Context) []setting.Finding {
	cfg := d.cfg.Session.Redis
	if cfg.Mode == "embedded" {
		return []setting.Finding{{Part: "redis", Status: setting.Warning, Detail: "embedded: sessions and the contact queue die with the process", Cure: "use a real Redis in production", Where: "session.redis.mode"}}
	}
	clients, err := redisclient.Open(cfg, redisclient.Deps{
		Credentials:      func() (string, string) { return cfg.Username, cfg.Password.Reveal() },
		SentinelPassword: cfg.SentinelPassword.Reveal,
		Observe:          func(context.Context, error, time.Duration) {}, Report: func(redisclient.Result) {}, Log: QuietLog(),
	})
	if err != nil {
		return []setting.Finding{{Part: "redis", Status: setting.Failed, Detail: err.Error(), Where: "session.redis"}}
	}
	defer clients.Close()
	found, err := redisserver.Examine(ctx, clients.Queue)
	if err != nil {
		return []setting.Finding{redisFault("redis", err, cfg)}
	}
	first := setting.Finding{Part: "redis", Status: setting.OK, Detail: "version " + found.Version}
	if found.TooOld {
		first.Status, first.Cure, first.Where = setting.Failed, "use Redis 6.2 or newer", "session.redis.urls"
	}
	all := []setting.Finding{first}
	for _, w := range found.Warnings {
		all = append(all, setting.Finding{Part: "redis", Status: setting.Warning, Detail: w.Text, Cure: w.Cure, Where: w.Where})
	}
	if err := redisserver.CheckPermissions(ctx, clients.Queue, cfg.KeyPrefix); err != nil {
		return append(all, redisFault("redis: use", err, cfg))
	}
	return append(all, setting.Finding{Part: "redis: use", Status: setting.OK, Detail: "takes scripts, writes and subscriptions under " + cfg.KeyPrefix})
}

func redisFault(part string, err error, cfg redisclient.Config) setting.Finding {
	f := setting.Finding{Part: part, Status: setting.Failed, Detail: strings.TrimPrefix(err.Error(), "redis: ")}
	f.Cure, f.Where = redisCure(f.Detail, strings.HasPrefix(strings.Join(cfg.URLs, " "), "rediss:"))
	return f
}

// redisCure tells what to change for an error of Redis, or of the way to it. tls tells whether TLS was spoken.
func redisCure(text string, tls bool) (cure, where string) {
	says := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(text, part) {
				return true
			}
		}
		return false
	}
	switch {
	case says("NOAUTH"):
		return "Redis wants a password: write it", "session.redis.password"
	case says("WRONGPASS", "invalid username-password", "invalid password", "no password is set"):
		return "write the right username and password", "session.redis.username, session.redis.password"
	case says("NOPERM"):
		return "give the user the permissions in docs/operations.md, section Redis", "Redis' ACL"
	case says("OOM"):
		return "give Redis more memory", "Redis' maxmemory"
	case says("MISCONF", "NOREPLICAS"):
		return "Redis takes no writes: look at its log", "Redis"
	case says("READONLY"):
		return "name the master, or use mode sentinel", "session.redis.urls"
	case says("LOADING"):
		return "wait until Redis has loaded its data", "Redis"
	case says("all sentinels specified in configuration are unreachable"):
		return "mend the sentinels' addresses, the master's name or the sentinels' password", "session.redis.urls, session.redis.master_name, session.redis.sentinel_password"
	case says("has expired"):
		return "renew the certificate of Redis, or mend this machine's clock", "Redis' certificate"
	case says("certificate is valid for", "doesn't contain any IP SANs"):
		return "write a name that the certificate has, or get a certificate for this one", "session.redis.urls"
	case says("first record does not look like a TLS handshake"), tls && says("EOF", "reset by peer", "broken pipe", "i/o timeout", "deadline exceeded"):
		return "this Redis speaks no TLS: write redis:// instead of rediss://", "session.redis.urls"
	case says("certificate", "x509", "tls: "):
		return "name the authority that signed Redis' certificate", "session.redis.ca_file"
	case !tls && says("EOF", "reset by peer", "broken pipe", "i/o timeout", "deadline exceeded"):
		return "if this Redis expects TLS, write rediss:// instead of redis://; else let this machine reach it", "session.redis.urls"
	case says("refused"):
		return "start Redis there, or mend the address", "session.redis.urls"
	case says("lookup "):
		return "mend the host's name", "session.redis.urls"
	case says("cluster support disabled"):
		return "this is no cluster: write mode: single", "session.redis.mode"
	case says("MOVED", "CROSSSLOT"):
		return "this is a cluster: write mode: cluster", "session.redis.mode"
	case says("master", "sentinel"):
		return "write the name that the sentinels watch", "session.redis.master_name"
	case says("DB index", "invalid DB"):
		return "write a database that Redis has", "session.redis.urls"
	}
	return "look at the network and at Redis' own log", "session.redis"
}
