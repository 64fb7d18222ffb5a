package outbox

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// isWrongType reports whether a key holds another type than hubgate writes. In the error of a script the code is not
// the first word.
func isWrongType(err error) bool { return err != nil && strings.Contains(err.Error(), "WRONGTYPE") }

// Repair deletes keys of another type if err reports one. If that fails, the next failure repeats it.
func (o *Outbox) Repair(ctx context.Context, err error) {
	if isWrongType(err) {
		_ = o.deleteMistypedKeys(ctx)
	}
}

// deleteMistypedScript deletes a key of another type atomically: another replica may do the same and may have written
// since.
var deleteMistypedScript = redis.NewScript(`
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' or kind == ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)

// deleteMistypedKeys deletes keys of another type than hubgate writes. They would stop the queue forever, and hubgate
// cannot read them.
func (o *Outbox) deleteMistypedKeys(ctx context.Context, persons ...string) error {
	kinds := map[string]string{
		o.keys.stream: "stream", o.keys.due: "zset", o.keys.held: "zset", o.keys.tries: "hash",
		o.keys.dead:   "stream",
		o.keys.budget: "zset", o.keys.pause: "string", o.keys.left: "string", o.keys.lease: "string",
		o.keys.fence: "string", o.keys.inFlight: "set", o.keys.oldest: "string", o.keys.rejected: "hash",
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
			o.deps.Log.Error("deleted a Redis key of the wrong type: is session.redis.key_prefix shared?",
				"key", key)
		}
	}
	return nil
}
