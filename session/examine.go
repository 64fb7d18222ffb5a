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
	Version       string
	TooOld        bool // older than 6.2
	Warning, Cure string
}

// Examine asks a Redis whether it can hold sessions.
func Examine(ctx context.Context, rdb redis.UniversalClient) (Examination, error) {
	var x Examination
	if err := rdb.Ping(ctx).Err(); err != nil {
		return x, fmt.Errorf("session: redis: %w", err)
	}
	x.Version = version(ctx, rdb)
	x.TooOld = olderThan(x.Version, 6, 2)
	policy, err := rdb.ConfigGet(ctx, "maxmemory-policy").Result()
	if p := policy["maxmemory-policy"]; err == nil && p != "" && p != "noeviction" && !strings.HasPrefix(p, "volatile-ttl") {
		x.Warning = "maxmemory-policy is " + p + ", so Redis may drop sessions and queued contacts when memory is short"
		x.Cure = "set maxmemory-policy noeviction"
	}
	return x, nil
}

// version asks INFO, and where that is not allowed, the greeting.
func version(ctx context.Context, rdb redis.UniversalClient) string {
	info, _ := rdb.Info(ctx, "server").Result()
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "redis_version:"); ok {
			return v
		}
	}
	hello, _ := rdb.Do(ctx, "HELLO").Result()
	facts, _ := hello.(map[any]any)
	v, _ := facts["version"].(string)
	return v
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
