package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/lease"
)

// Explain adds the cure to an error about a Redis key of another type than hubgate writes.
func Explain(err error) error {
	if err != nil && strings.Contains(err.Error(), "WRONGTYPE") {
		return fmt.Errorf("%w (another program uses hubgate's Redis keys: is session.redis.key_prefix shared?)", err)
	}
	return err
}

// Leased is the outbox of the lease holder. Each write checks the fencing token atomically, so that a holder that
// was paused (stopped process, network partition) cannot acknowledge entries that another replica is processing.
type Leased struct {
	*Outbox
	token string
}

// leaseScript acquires the lease with a new fencing token: a number that grows with each holder.
var leaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) then return '' end
local token = redis.call('INCR', KEYS[2]) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
return token
`)

// LeaseTime is how long the lease lasts if it is not renewed.
const LeaseTime = 10 * time.Second

const leaseRenew = 3 * time.Second

// AcquireLease acquires the lease. acquired is false if another replica holds it.
func (o *Outbox) AcquireLease(ctx context.Context, replica string) (leased Leased, acquired bool, err error) {
	keys := []string{o.keys.lease, o.keys.fence}
	token, err := leaseScript.Run(ctx, o.deps.Queue, keys, replica, LeaseTime.Milliseconds()).Text()
	return Leased{Outbox: o, token: token}, err == nil && token != "", err
}

// Keep renews the lease until ctx ends, and calls lose with lease.ErrLost if it was not renewed in time: two replicas
// must never write to HubSpot at once.
func (o Leased) Keep(ctx context.Context, lose context.CancelCauseFunc) {
	last := time.Now()
	for background.Sleep(ctx, leaseRenew) {
		renewing, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := o.Renew(renewing)
		cancel()
		if err == nil {
			last = time.Now()
			continue
		}
		if errors.Is(err, lease.ErrLost) || time.Since(last) > LeaseTime-leaseRenew-2*time.Second {
			lose(lease.ErrLost)
			return
		}
	}
}

// Renew extends the lease. It fails with lease.ErrLost if another replica holds it.
func (o Leased) Renew(ctx context.Context) error {
	held, err := o.Lease().Renew(ctx)
	if err == nil && !held {
		return lease.ErrLost
	}
	return err
}

// Release releases the lease.
func (o Leased) Release(ctx context.Context) error { return o.Lease().Release(ctx) }

// Lease returns the lease of this holder.
func (o Leased) Lease() lease.Lease {
	return lease.Lease{Redis: o.deps.Queue, Key: o.keys.lease, Token: o.token, TTL: LeaseTime}
}

// finishScript removes entries from the queue and saves the person's record. ARGV: token, number of ids, ids, TTL of
// the record, a dead letter or "", the person's name in the index, the time of a login that was sent or "", whether the
// person is of a file or "", then the record's fields and values. There is at most one dead letter of a person, which a
// new result of the person's contact removes. A person of a file leaves the dead letter of a login, which is newer.
var finishScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local n = tonumber(ARGV[2])
local ttl, letter, imported = ARGV[3 + n], ARGV[4 + n], ARGV[7 + n]
if #ARGV > 7 + n then
  local older = redis.call('HGET', KEYS[5], 'dead')
  local keep = older and imported ~= '' and redis.call('HGET', KEYS[5], 'dead_imported') ~= imported
    and #redis.call('XRANGE', KEYS[6], older, older) > 0
  if not keep then
    if letter ~= '' then
      redis.call('HSET', KEYS[5], 'dead', redis.call('XADD', KEYS[6], '*', 'd', letter), 'dead_imported', imported)
    elseif older then
      redis.call('HDEL', KEYS[5], 'dead', 'dead_imported')
    end
    if older then redis.call('XDEL', KEYS[6], older) end
  end
  for i = 8 + n, #ARGV, 2 do redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1]) end
  redis.call('PEXPIRE', KEYS[5], ttl)
  if letter == '' and ARGV[6 + n] ~= '' then
    redis.call('HSET', KEYS[7], ARGV[5 + n], ARGV[6 + n])
    redis.call('PEXPIRE', KEYS[7], ttl)
  end
end
for i = 3, 2 + n do
  redis.call('XDEL', KEYS[2], ARGV[i])
  redis.call('ZREM', KEYS[3], ARGV[i])
  redis.call('HDEL', KEYS[4], ARGV[i])
end
return 1
`)

// Finish acknowledges a job: it removes its entries, and saves the person's new record unless it is nil.
func (o Leased) Finish(ctx context.Context, j *Job, record *Person) error {
	names, args := o.finishArgs(j, j.IDs, nil, record.fields(j))
	return o.checkLease(finishScript.Run(ctx, o.deps.Queue, names, args...))
}

// SaveRecord saves the person's new record while the job continues.
func (o Leased) SaveRecord(ctx context.Context, j *Job, record *Person) error {
	names, args := o.finishArgs(j, nil, nil, record.fields(j))
	return o.checkLease(finishScript.Run(ctx, o.deps.Queue, names, args...))
}

// finishArgs returns the arguments of finishScript. letter is a sealed dead letter, or nil.
func (o Leased) finishArgs(
	j *Job, ids []string, letter []byte, record map[string]string,
) (names []string, args []any) {
	names = []string{
		o.keys.lease, o.keys.stream, o.keys.due, o.keys.tries, o.personKeys(j.Login)[0], o.keys.dead,
		o.indexKeys(j.Login.Email)[0],
	}
	args = []any{o.token, len(ids)}
	for _, id := range ids {
		args = append(args, id)
	}
	imported := ""
	if j.Imported {
		imported = "1"
	}
	args = append(args, personTTL.Milliseconds(), letter, o.personName(j.Login), o.loginTime(j), imported)
	for name, value := range record {
		args = append(args, name, value)
	}
	return names, args
}

func (o Leased) checkLease(cmd *redis.Cmd) error {
	ok, err := cmd.Int()
	if err == nil && ok == 0 {
		return lease.ErrLost
	}
	return err
}

// stateScript saves a state. KEYS[2] is the sorted set that the entry belongs to, KEYS[3] the one that it may be in.
var stateScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('HSET', KEYS[4], ARGV[2], ARGV[4])
return 1
`)

// SaveState saves a job's state under the id of its newest entry.
func (o Leased) SaveState(ctx context.Context, j *Job) error {
	text, err := json.Marshal(j.State)
	if err != nil {
		return err
	}
	set, other := o.keys.due, o.keys.held
	if j.State.Held {
		set, other = other, set
	}
	return o.checkLease(stateScript.Run(ctx, o.deps.Queue, []string{o.keys.lease, set, other, o.keys.tries},
		o.token, j.Newest(), j.State.Next, text))
}

var removeScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #ARGV do
  redis.call('XDEL', KEYS[2], ARGV[i])
  redis.call('ZREM', KEYS[3], ARGV[i])
  redis.call('HDEL', KEYS[4], ARGV[i])
  redis.call('ZREM', KEYS[5], ARGV[i])
end
return 1
`)

// Remove removes entries that a newer one of the same person has replaced.
func (o Leased) Remove(ctx context.Context, ids []string) error {
	for len(ids) > 0 {
		n := min(len(ids), 500)
		args := []any{o.token}
		for _, id := range ids[:n] {
			args = append(args, id)
		}
		keys := []string{o.keys.lease, o.keys.stream, o.keys.due, o.keys.tries, o.keys.held}
		if err := o.checkLease(removeScript.Run(ctx, o.deps.Queue, keys, args...)); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

var heldScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #ARGV do
  local at = redis.call('ZSCORE', KEYS[2], ARGV[i])
  if at then
    redis.call('ZADD', KEYS[3], at, ARGV[i])
    redis.call('ZREM', KEYS[2], ARGV[i])
  end
end
return 1
`)

// MoveHeld moves held entries out of the delayed ones, among which older versions counted them.
func (o Leased) MoveHeld(ctx context.Context, states map[string]State) error {
	var ids []any
	for id, s := range states {
		if s.Held {
			ids = append(ids, id)
		}
	}
	keys := []string{o.keys.lease, o.keys.due, o.keys.held}
	for chunk := range slices.Chunk(ids, 500) {
		err := o.checkLease(heldScript.Run(ctx, o.deps.Queue, keys, append([]any{o.token}, chunk...)...))
		if err != nil {
			return err
		}
	}
	return nil
}

// oldestTTL is how long the time of the oldest entry is valid. It is longer than the calls for a batch take.
const oldestTTL = time.Hour

// SaveOldest saves when the oldest job was queued.
func (o Leased) SaveOldest(ctx context.Context, oldest time.Time) error {
	ms := int64(0)
	if !oldest.IsZero() {
		ms = oldest.UnixMilli()
	}
	return o.deps.Queue.Set(ctx, o.keys.oldest, ms, oldestTTL).Err()
}
