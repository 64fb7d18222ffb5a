package session

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// rehearsal writes, reads and removes a key of its own, as a script.
var rehearsal = redis.NewScript(`
redis.call("SET", KEYS[1], "1", "PX", 10000)
redis.call("ZADD", KEYS[2], 1, "1")
redis.call("XADD", KEYS[3], "*", "d", "1")
return redis.call("DEL", KEYS[1], KEYS[2], KEYS[3])`)

// Rehearse does under a key prefix what the gateway does all day: scripts, keys of each type, publishing and subscribing. A user whose
// permissions do not suffice answers everything that Examine asks, and then keeps everybody from logging in.
func Rehearse(ctx context.Context, rdb redis.UniversalClient, prefix string) error {
	key := prefix + "check:{check}:"
	if err := rehearsal.Run(ctx, rdb, []string{key + "string", key + "zset", key + "stream"}).Err(); err != nil {
		return fmt.Errorf("session: redis: %w", err)
	}
	sub := rdb.Subscribe(ctx, prefix+"ch")
	defer sub.Close()
	if _, err := sub.Receive(ctx); err != nil {
		return fmt.Errorf("session: redis: %w", err)
	}
	if err := rdb.Publish(ctx, prefix+"ch", "check").Err(); err != nil { // replicas act on no such word
		return fmt.Errorf("session: redis: %w", err)
	}
	return nil
}
