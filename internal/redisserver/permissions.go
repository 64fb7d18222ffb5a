package redisserver

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// permissionScript writes and removes a key of each type.
var permissionScript = redis.NewScript(`
redis.call("SET", KEYS[1], "1", "PX", 10000)
redis.call("ZADD", KEYS[2], 1, "1")
redis.call("XADD", KEYS[3], "*", "d", "1")
return redis.call("DEL", KEYS[1], KEYS[2], KEYS[3])`)

// CheckPermissions does what the gateway does: it runs a script, writes a key of each type, publishes and subscribes. A
// Redis user without these permissions passes Examine, but logins fail.
func CheckPermissions(ctx context.Context, rdb redis.UniversalClient, prefix string) error {
	key := prefix + "check:{check}:"
	if err := permissionScript.Run(ctx, rdb, []string{key + "string", key + "zset", key + "stream"}).Err(); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	sub := rdb.Subscribe(ctx, prefix+"ch")
	defer sub.Close()
	if _, err := sub.Receive(ctx); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	if err := rdb.Publish(ctx, prefix+"ch", "check").Err(); err != nil { // replicas ignore this message
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}
