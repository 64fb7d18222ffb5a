package session

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Examination is what Redis says of itself. Managed ones do not say everything.
type Examination struct {
	Version  string
	TooOld   bool      // older than 6.2
	Warnings []Warning // what may cost sessions or contacts
}

// Warning is a setting of Redis that is better changed: how, and where.
type Warning struct{ Text, Cure, Where string }

// Examine asks a Redis whether it can hold sessions.
func Examine(ctx context.Context, rdb redis.UniversalClient) (Examination, error) {
	x := Examination{Version: "unknown"}
	if err := rdb.Ping(ctx).Err(); err != nil {
		return x, fmt.Errorf("session: redis: %w", err)
	}
	said := map[string]string{}
	for _, section := range []string{"server", "memory", "persistence", "replication"} {
		info, err := rdb.Info(ctx, section).Result()
		if err != nil {
			continue
		}
		for _, line := range strings.Split(info, "\n") {
			if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
				said[name] = value
			}
		}
	}
	if v := said["redis_version"]; v != "" {
		x.Version = v
	} else if v := greeted(ctx, rdb); v != "" {
		x.Version = v
	}
	x.TooOld = olderThan(x.Version, 6, 2)
	policy, refused := configured(ctx, rdb, "maxmemory-policy")
	fsync, _ := configured(ctx, rdb, "appendfsync")
	x.warn(said, policy, fsync, hostOf(said, refused))
	return x, nil
}

// greeted is the version in Redis' greeting, for where INFO is not allowed.
func greeted(ctx context.Context, rdb redis.UniversalClient) string {
	hello, _ := rdb.Do(ctx, "HELLO").Result()
	facts, _ := hello.(map[any]any)
	v, _ := facts["version"].(string)
	return v
}

// configured reads a setting; "" where CONFIG is not allowed. refused is the server's answer then.
func configured(ctx context.Context, rdb redis.UniversalClient, name string) (value string, refused error) {
	found, err := rdb.ConfigGet(ctx, name).Result()
	if err != nil {
		return "", err
	}
	return found[name], nil
}

func (x *Examination) warn(said map[string]string, policy, fsync string, at host) {
	add := func(text string, r remedy) { x.Warnings = append(x.Warnings, Warning{text, r.cure, r.where}) }
	if policy == "" {
		policy = said["maxmemory_policy"]
	}
	if policy != "" && policy != "noeviction" {
		add("maxmemory-policy is "+policy+", so Redis may drop sessions and queued contacts when memory is short", at.policy)
	}
	switch {
	case said["aof_enabled"] == "0" && !at.keeps(said):
		add("appendonly is off: a restart of Redis loses the sessions and queued contacts since its last snapshot", at.persistence)
	case fsync == "no":
		add("appendfsync is no: a crash of Redis' machine loses what the system had not written yet", at.fsync)
	}
	if said["role"] == "slave" {
		add("this is a replica: it takes no writes", at.role)
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
