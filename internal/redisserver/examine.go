package redisserver

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/setting"
)

// Examination is what Redis reports about itself. Hosted ones do not report everything.
type Examination struct {
	Version  string
	TooOld   bool              // older than 6.2
	Warnings []setting.Finding // settings that may lose sessions or contacts
}

// Examine checks whether a Redis server is fit to store sessions.
func Examine(ctx context.Context, rdb redis.UniversalClient) (Examination, error) {
	x := Examination{Version: "unknown"}
	if err := rdb.Ping(ctx).Err(); err != nil {
		return x, fmt.Errorf("redis: %w", err)
	}
	info := map[string]string{}
	for _, section := range []string{"server", "memory", "persistence", "replication"} {
		text, err := rdb.Info(ctx, section).Result()
		if err != nil {
			continue
		}
		for line := range strings.Lines(text) {
			if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
				info[name] = value
			}
		}
	}
	if v := info["redis_version"]; v != "" {
		x.Version = v
	} else if v := helloVersion(ctx, rdb); v != "" {
		x.Version = v
	}
	x.TooOld = olderThan(x.Version, 6, 2)
	policy, denied := configured(ctx, rdb, "maxmemory-policy")
	fsync, _ := configured(ctx, rdb, "appendfsync")
	x.warn(info, policy, fsync, providerOf(info, denied))
	return x, nil
}

// helloVersion returns the version in the reply to HELLO, for servers that do not permit INFO.
func helloVersion(ctx context.Context, rdb redis.UniversalClient) string {
	hello, _ := rdb.Do(ctx, "HELLO").Result()
	facts, _ := hello.(map[any]any)
	v, _ := facts["version"].(string)
	return v
}

// configured returns a setting. If CONFIG is not permitted, it is "", and denied is the server's error.
func configured(ctx context.Context, rdb redis.UniversalClient, name string) (value string, denied error) {
	found, err := rdb.ConfigGet(ctx, name).Result()
	if err != nil {
		return "", err
	}
	return found[name], nil
}

func (x *Examination) warn(info map[string]string, policy, fsync string, at provider) {
	add := func(detail string, r remedy) {
		x.Warnings = append(x.Warnings, setting.Finding{
			Part: "redis", Status: setting.Warning, Detail: detail, Cure: r.cure, Where: r.where,
		})
	}
	if policy == "" {
		policy = info["maxmemory_policy"]
	}
	if policy != "" && policy != "noeviction" {
		add("maxmemory-policy is "+policy+", so Redis may drop sessions and queued contacts when memory is short",
			at.policy)
	}
	switch {
	case info["aof_enabled"] == "0" && !at.keeps(info):
		add("appendonly is off: a restart of Redis loses the sessions and queued contacts since its last snapshot",
			at.persistence)
	case fsync == "no":
		add("appendfsync is no: a crash of Redis' machine loses what the system had not written yet", at.fsync)
	}
	if info["role"] == "slave" {
		add("this is a replica: it refuses writes", at.role)
	}
}

func olderThan(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	a, err1 := strconv.Atoi(parts[0])
	b, err2 := strconv.Atoi(parts[1])
	return err1 == nil && err2 == nil && (a < major || (a == major && b < minor))
}
