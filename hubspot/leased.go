package hubspot

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/redis/go-redis/v9"
)

// errLeaseLost means that another replica holds the lease, so the writes of this one are out of date.
var errLeaseLost = errors.New("another replica holds the lease")

// leasedOutbox is the outbox of the lease holder. Each write checks the fencing token atomically, so that a holder that
// was paused (stopped process, network partition) cannot acknowledge entries that another replica works on by now.
type leasedOutbox struct {
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

// acquireLease acquires the lease and returns its fencing token, or "" if another replica holds it.
func (o *outbox) acquireLease(ctx context.Context, replica string) (string, error) {
	keys := []string{o.keys.lease, o.keys.fence}
	return leaseScript.Run(ctx, o.deps.Queue, keys, replica, leaseTime.Milliseconds()).Text()
}

func (o leasedOutbox) renew(ctx context.Context) error {
	ok, err := renewScript.Run(ctx, o.deps.Queue, []string{o.keys.lease}, o.token, leaseTime.Milliseconds()).Int()
	if err == nil && ok == 0 {
		return errLeaseLost
	}
	return err
}

func (o leasedOutbox) release(ctx context.Context) error {
	return releaseScript.Run(ctx, o.deps.Queue, []string{o.keys.lease}, o.token).Err()
}

// finishScript removes entries from the queue. ARGV: token, number of ids, ids, TTL of the person's record, its fields
// and values, and with KEYS[6] a dead letter, which is added in the same step.
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

// finish acknowledges a job: it removes its entries and updates the person's record. A dead letter, if given, is added
// in the same step.
func (o leasedOutbox) finish(ctx context.Context, j *job, record map[string]string, letter *deadLetter) error {
	names, args := o.finishArgs(j, j.ids, record)
	if letter != nil {
		sealed, err := o.seal(letter)
		if err != nil {
			return err
		}
		names, args = append(names, o.keys.dead), append(args, sealed)
	}
	return o.checkLease(finishScript.Run(ctx, o.deps.Queue, names, args...))
}

// saveRecord updates the person's record while the job continues.
func (o leasedOutbox) saveRecord(ctx context.Context, j *job, record map[string]string) error {
	names, args := o.finishArgs(j, nil, record)
	return o.checkLease(finishScript.Run(ctx, o.deps.Queue, names, args...))
}

func (o leasedOutbox) finishArgs(j *job, ids []string, record map[string]string) (names []string, args []any) {
	names = []string{o.keys.lease, o.keys.stream, o.keys.due, o.keys.tries, o.personKeys(j.login)[0]}
	args = []any{o.token, len(ids)}
	for _, id := range ids {
		args = append(args, id)
	}
	args = append(args, personTTL.Milliseconds())
	for name, value := range record {
		args = append(args, name, value)
	}
	return names, args
}

func (o leasedOutbox) checkLease(cmd *redis.Cmd) error {
	ok, err := cmd.Int()
	if err == nil && ok == 0 {
		return errLeaseLost
	}
	return err
}

var stateScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
return 1
`)

// saveState saves a job's state under the id of its newest entry.
func (o leasedOutbox) saveState(ctx context.Context, j *job) error {
	text, err := json.Marshal(j.state)
	if err != nil {
		return err
	}
	return o.checkLease(stateScript.Run(ctx, o.deps.Queue, []string{o.keys.lease, o.keys.due, o.keys.tries},
		o.token, j.newest(), j.state.Next, text))
}

var removeScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #ARGV do
  redis.call('XDEL', KEYS[2], ARGV[i])
  redis.call('ZREM', KEYS[3], ARGV[i])
  redis.call('HDEL', KEYS[4], ARGV[i])
end
return 1
`)

// remove removes entries that a newer one of the same person has replaced.
func (o leasedOutbox) remove(ctx context.Context, ids []string) error {
	for len(ids) > 0 {
		n := min(len(ids), 500)
		args := []any{o.token}
		for _, id := range ids[:n] {
			args = append(args, id)
		}
		keys := []string{o.keys.lease, o.keys.stream, o.keys.due, o.keys.tries}
		if err := o.checkLease(removeScript.Run(ctx, o.deps.Queue, keys, args...)); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

var inFlightScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
for i = 2, #ARGV do redis.call('SADD', KEYS[2], ARGV[i]) end
return 1
`)

// setInFlight saves the jobs that are about to be sent, so that the next lease holder knows which ones HubSpot may have
// received. nil clears them.
func (o leasedOutbox) setInFlight(ctx context.Context, jobs []*job) error {
	args := []any{o.token}
	for _, j := range jobs {
		args = append(args, j.newest())
	}
	return o.checkLease(inFlightScript.Run(ctx, o.deps.Queue, []string{o.keys.lease, o.keys.inFlight}, args...))
}

// oldestTTL is how long the time of the oldest entry is valid. It is longer than another replica needs to acquire the
// lease.
const oldestTTL = time.Minute

// saveOldest saves when the oldest job was queued.
func (o leasedOutbox) saveOldest(ctx context.Context, oldest time.Time) error {
	ms := int64(0)
	if !oldest.IsZero() {
		ms = oldest.UnixMilli()
	}
	return o.deps.Queue.Set(ctx, o.keys.oldest, ms, oldestTTL).Err()
}

// inFlight returns the entries that the previous holder's last call was about.
func (o leasedOutbox) inFlight(ctx context.Context) (map[string]struct{}, error) {
	return o.deps.Queue.SMembersMap(ctx, o.keys.inFlight).Result()
}

// countRejected counts a property that was left out, for the operator.
func (o leasedOutbox) countRejected(ctx context.Context, b crm.BadProperty) error {
	pipe := o.deps.Queue.Pipeline()
	pipe.HIncrBy(ctx, o.keys.rejected, b.Name+"|count", 1)
	now := strconv.FormatInt(o.deps.Now().UnixMilli(), 10)
	pipe.HSet(ctx, o.keys.rejected, b.Name+"|reason", b.Reason, b.Name+"|at", now)
	pipe.Expire(ctx, o.keys.rejected, 30*24*time.Hour)
	_, err := pipe.Exec(ctx)
	return err
}
