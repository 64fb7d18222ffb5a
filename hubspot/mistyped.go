package hubspot

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// isWrongType tells that a key holds what hubgate never puts there. Inside a script's error the word does not come first.
func isWrongType(err error) bool { return err != nil && strings.Contains(err.Error(), "WRONGTYPE") }

// mendScript removes a key of another type, in one step: another replica may be mending too, and have written already.
var deleteMistypedScript = redis.NewScript(`
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' or kind == ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)

// mend removes keys of ours whose type is not ours: they would stop the queue for ever, and hold nothing that we know how to read.
func (o *outbox) deleteMistypedKeys(ctx context.Context, persons ...string) error {
	kinds := map[string]string{
		o.keys.stream: "stream", o.keys.due: "zset", o.keys.tries: "hash", o.keys.dead: "stream", o.keys.budget: "zset", o.keys.pause: "string",
		o.keys.left: "string", o.keys.lease: "string", o.keys.fence: "string", o.keys.inFlight: "set", o.keys.oldest: "string", o.keys.rejected: "hash",
	}
	for _, key := range persons {
		kinds[key] = "hash"
	}
	for key, want := range kinds {
		removed, err := deleteMistypedScript.Run(ctx, o.deps.Queue, []string{key}, want).Int()
		if err != nil {
			return err
		}
		if removed > 0 {
			o.deps.Log.Error("a key in redis is of a type that hubgate does not put there; it is removed: does anybody else use session.redis.key_prefix?", "key", key)
		}
	}
	return nil
}
