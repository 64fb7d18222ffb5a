package outbox

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/lease"
)

// inFlightScript returns the ids that are no longer in the queue.
var inFlightScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
local gone = {}
for i = 2, #ARGV do
  redis.call('ZREM', KEYS[3], ARGV[i])
  redis.call('ZREM', KEYS[4], ARGV[i])
  if #redis.call('XRANGE', KEYS[5], ARGV[i], ARGV[i]) > 0 then
    redis.call('SADD', KEYS[2], ARGV[i])
  else
    redis.call('HDEL', KEYS[6], ARGV[i])
    gone[#gone + 1] = ARGV[i]
  end
end
return gone
`)

// Begin saves the jobs that are about to be sent, for operators. They are neither delayed nor held any more. It returns
// the jobs whose newest entry is no longer in the queue, because an operator had the person forgotten: a job in memory
// must not outlive its entry.
func (o Leased) Begin(ctx context.Context, jobs []*Job) (gone map[*Job]bool, err error) {
	args, byID := []any{o.token}, map[string]*Job{}
	for _, j := range jobs {
		args, byID[j.Newest()] = append(args, j.Newest()), j
	}
	keys := []string{o.keys.lease, o.keys.inFlight, o.keys.due, o.keys.held, o.keys.stream, o.keys.tries}
	reply, err := inFlightScript.Run(ctx, o.deps.Queue, keys, args...).Result()
	if err != nil {
		return nil, err
	}
	ids, held := reply.([]any)
	if !held {
		return nil, lease.ErrLost
	}
	gone = map[*Job]bool{}
	for _, id := range ids {
		if text, isText := id.(string); isText {
			gone[byID[text]] = true
		}
	}
	return gone, nil
}

// SetInFlight is Begin for jobs that are known to be in the queue; nil says that none is in flight any more.
func (o Leased) SetInFlight(ctx context.Context, jobs []*Job) error {
	_, err := o.Begin(ctx, jobs)
	return err
}

// Reread reads entries again by their ids. Those that are gone are left out.
func (o *Outbox) Reread(ctx context.Context, ids []string) (list []Queued, err error) {
	for _, id := range ids {
		messages, err := o.deps.Queue.XRangeN(ctx, o.keys.stream, id, id, 1).Result()
		if err != nil {
			return nil, err
		}
		list = append(list, o.decodeAll(messages)...)
	}
	return list, nil
}
