package outbox

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
)

// markedScript is a script about a person that does nothing if the person was forgotten. Its last two arguments are the
// forget key or "*", and the person's name among the forgotten. It returns the forget key if that is another one. It
// can be repeated after a lost reply.
type markedScript struct {
	script *redis.Script
	email  string
	names  []string
	args   []any
}

// forgottenReply is the reply of a markedScript for a forgotten person.
const forgottenReply = -1

// runMarked runs a script, again with another forget key, or if there was no reply.
func (o *Outbox) runMarked(ctx context.Context, s markedScript) (reply int64, err error) {
	mark := o.forget.Load()
	for try := 0; ; try++ {
		args := append(slices.Clone(s.args), mark.sealed, mark.name(s.email))
		answer, err := s.script.Run(ctx, o.deps.Queue, s.names, args...).Result()
		reply, _ := answer.(int64)
		switch sealed, another := answer.(string); {
		case err == nil && another:
			mark = o.useForgetKey(sealed)
			continue
		case err == nil || try >= 2 || ctx.Err() != nil || refusedByRedis(err):
			return reply, err
		}
		if !background.Sleep(ctx, 100*time.Millisecond) {
			return 0, err
		}
	}
}

// refusedByRedis reports whether Redis replied with an error. Retries only help if there was no reply.
func refusedByRedis(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply) && !redis.IsLoadingError(err) && !redis.IsReadOnlyError(err)
}
