package hubspot

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// errFenced says that another replica holds the lease: whatever this one still wants to write is out of date.
var errFenced = errors.New("the lease is another replica's")

// fenced are the writes of the lease's holder. Each one checks the lease in the same step, so that a holder that was stopped for a
// while (a paused process, a cut network) cannot acknowledge what another one works on by now.
type fenced struct {
	*outbox
	token string
}

var leaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) then return '' end
local token = redis.call('INCR', KEYS[2]) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
return token
`)

var renewScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`)

var releaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)

const (
	leaseTime  = 10 * time.Second
	leaseRenew = 3 * time.Second
)

// lease takes the right to work, when nobody has it; "" when somebody has.
func (o *outbox) lease(ctx context.Context, replica string) (string, error) {
	return leaseScript.Run(ctx, o.deps.Queue, []string{o.keys.lease, o.keys.fence}, replica, leaseTime.Milliseconds()).Text()
}

func (f fenced) renew(ctx context.Context) error {
	ok, err := renewScript.Run(ctx, f.deps.Queue, []string{f.keys.lease}, f.token, leaseTime.Milliseconds()).Int()
	if err == nil && ok == 0 {
		return errFenced
	}
	return err
}

func (f fenced) release(ctx context.Context) error {
	return releaseScript.Run(ctx, f.deps.Queue, []string{f.keys.lease}, f.token).Err()
}

// finishScript removes entries for good. ARGV: token, number of ids, ids, person ttl, then field and value of the person's record.
// With a last key the contact goes to the dead letters in the same step.
var finishScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local n = tonumber(ARGV[2])
if KEYS[6] then redis.call('XADD', KEYS[6], '*', 'd', ARGV[#ARGV]) end
for i = 3, 2 + n do
  redis.call('XDEL', KEYS[2], ARGV[i])
  redis.call('ZREM', KEYS[3], ARGV[i])
  redis.call('HDEL', KEYS[4], ARGV[i])
end
local last = #ARGV
if KEYS[6] then last = last - 1 end
if last > 3 + n then
  for i = 4 + n, last, 2 do redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1]) end
  redis.call('PEXPIRE', KEYS[5], ARGV[3 + n])
end
return 1
`)

// finish acknowledges a job: its entries leave the queue, and what was done is remembered with the person. A letter, when given, goes
// to the dead letters in the same step.
func (f fenced) finish(ctx context.Context, j *job, record map[string]string, letter *letter) error {
	names, args := f.closing(j, j.ids, record)
	if letter != nil {
		sealed, err := f.seal(letter)
		if err != nil {
			return err
		}
		names, args = append(names, f.keys.dead), append(args, sealed)
	}
	return f.ran(finishScript.Run(ctx, f.deps.Queue, names, args...))
}

// remember writes what was done to the person's record while the job goes on.
func (f fenced) remember(ctx context.Context, j *job, record map[string]string) error {
	names, args := f.closing(j, nil, record)
	return f.ran(finishScript.Run(ctx, f.deps.Queue, names, args...))
}

func (f fenced) closing(j *job, ids []string, record map[string]string) (names []string, args []any) {
	names = []string{f.keys.lease, f.keys.stream, f.keys.due, f.keys.tries, f.personKeys(j.login)[0]}
	args = []any{f.token, len(ids)}
	for _, id := range ids {
		args = append(args, id)
	}
	args = append(args, personTTL.Milliseconds())
	for name, value := range record {
		args = append(args, name, value)
	}
	return names, args
}

func (f fenced) ran(cmd *redis.Cmd) error {
	ok, err := cmd.Int()
	if err == nil && ok == 0 {
		return errFenced
	}
	return err
}

var delayScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
return 1
`)

// delay writes a job's story under the id of its newest entry.
func (f fenced) delay(ctx context.Context, j *job) error {
	text, err := json.Marshal(j.state)
	if err != nil {
		return err
	}
	return f.ran(delayScript.Run(ctx, f.deps.Queue, []string{f.keys.lease, f.keys.due, f.keys.tries},
		f.token, j.newest(), j.state.Next, text))
}

var dropScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #ARGV do
  redis.call('XDEL', KEYS[2], ARGV[i])
  redis.call('ZREM', KEYS[3], ARGV[i])
  redis.call('HDEL', KEYS[4], ARGV[i])
end
return 1
`)

// drop removes entries that a newer one of the same person has replaced.
func (f fenced) drop(ctx context.Context, ids []string) error {
	for len(ids) > 0 {
		n := min(len(ids), 500)
		args := []any{f.token}
		for _, id := range ids[:n] {
			args = append(args, id)
		}
		if err := f.ran(dropScript.Run(ctx, f.deps.Queue, []string{f.keys.lease, f.keys.stream, f.keys.due, f.keys.tries}, args...)); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

var flyingScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
for i = 2, #ARGV do redis.call('SADD', KEYS[2], ARGV[i]) end
return 1
`)

// flying notes for whom HubSpot is being asked, before it is: the next holder then knows of whom HubSpot may have heard. nil clears it.
func (f fenced) flying(ctx context.Context, jobs []*job) error {
	args := []any{f.token}
	for _, j := range jobs {
		args = append(args, j.newest())
	}
	return f.ran(flyingScript.Run(ctx, f.deps.Queue, []string{f.keys.lease, f.keys.inFlight}, args...))
}

// oldestTTL is for how long the note of the oldest entry counts: longer than another replica takes to become the holder.
const oldestTTL = time.Minute

// note writes down when the oldest job was queued.
func (f fenced) note(ctx context.Context, oldest time.Time) error {
	ms := int64(0)
	if !oldest.IsZero() {
		ms = oldest.UnixMilli()
	}
	return f.deps.Queue.Set(ctx, f.keys.oldest, ms, oldestTTL).Err()
}

// interrupted lists the entries that another holder's last call was about.
func (f fenced) interrupted(ctx context.Context) (map[string]struct{}, error) {
	return f.deps.Queue.SMembersMap(ctx, f.keys.inFlight).Result()
}

// reject remembers for the operator that a property was left out.
func (f fenced) reject(ctx context.Context, b badProperty) error {
	pipe := f.deps.Queue.Pipeline()
	pipe.HIncrBy(ctx, f.keys.rejected, b.name+"|count", 1)
	pipe.HSet(ctx, f.keys.rejected, b.name+"|reason", b.reason, b.name+"|at", strconv.FormatInt(f.deps.Now().UnixMilli(), 10))
	pipe.Expire(ctx, f.keys.rejected, 30*24*time.Hour)
	_, err := pipe.Exec(ctx)
	return err
}
