package access

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/redisread"
	"github.com/hubgate/hubgate/internal/seal"
)

// store is what replicas share in Redis: one sealed record for each person, and who reads it again.
type store struct {
	rdb    redis.UniversalClient
	reads  *redisread.Batcher
	prefix string
	ring   *seal.Ring
	now    func() time.Time
}

const (
	storeTime = 500 * time.Millisecond // bounds what a visitor waits for Redis
	saveTime  = 2 * time.Second        // bounds what a batch waits for Redis
	maxStored = 256 << 10              // bytes of a record; a larger one stays in memory
	timeSize  = 16                     // digits of the time that a record begins with
)

func (st *store) record(name string) string { return st.prefix + "{crm}:a:" + name }
func (st *store) claims(name string) string { return st.prefix + "{crm}:aq:" + name }
func (st *store) channel() string           { return st.prefix + "crm" }

// load returns what is recorded about a person: answers to different questions.
func (st *store) load(ctx context.Context, p person) ([]*Known, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	first, last := p.names[0], p.names[len(p.names)-1]
	stored, err := st.reads.Get(ctx, st.record(first), st.record(last))
	if err != nil {
		return nil, err
	}
	return append(st.open(stored[0], st.record(first)), st.open(stored[1], st.record(last))...), nil
}

// seal encodes a record: the time in the clear, for saveScript, and what is known, sealed to the key.
func (st *store) seal(answers []*Known, key string) (at int64, sealed []byte, err error) {
	plain, err := json.Marshal(answers)
	for _, k := range answers {
		at = max(at, k.ReadAt.UnixMilli())
	}
	return at, fmt.Appendf(nil, "%0*d%s", timeSize, at, st.ring.Seal(seal.Access, plain, []byte(key))), err
}

// open decodes a record, or returns nothing. The time in the clear is not believed: anyone who can write to Redis
// chooses it.
func (st *store) open(stored, key string) (answers []*Known) {
	if len(stored) <= timeSize || len(stored) > maxStored {
		return nil
	}
	plain, err := st.ring.Open(seal.Access, []byte(stored[timeSize:]), []byte(key))
	if err != nil || json.Unmarshal(plain, &answers) != nil {
		return nil
	}
	return slices.DeleteFunc(answers, func(k *Known) bool { return k == nil })
}

// recorded returns the records of people before they are replaced, nothing for those that cannot be read.
func (st *store) recorded(ctx context.Context, answers []answer) [][]*Known {
	pipe, replies, found := st.rdb.Pipeline(), make([]*redis.Cmd, len(answers)), make([][]*Known, len(answers))
	for i, a := range answers {
		replies[i] = redisread.Request(ctx, pipe, st.record(a.ask.person.name()), maxStored)
	}
	_, err := pipe.Exec(ctx)
	for i, a := range answers {
		text, _ := redisread.Text(replies[i], err)
		found[i] = st.open(text, st.record(a.ask.person.name()))
	}
	return found
}

// saveScript writes a record unless there is a newer one, and returns the one before. A time in the future is not one
// of hubgate, and would keep every later record out.
var saveScript = redis.NewScript(`
local old = redis.pcall("GETRANGE", KEYS[1], 0, ARGV[4])
if type(old) ~= "string" then old = "" end
local at = tonumber(string.sub(old, 1, 16))
if at and at > tonumber(ARGV[1]) and at <= tonumber(ARGV[5]) then return old end
redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
return old`)

// save writes records until they are useless, and returns for each what was there before. Two replicas that save
// answers to different questions at the same moment may lose one: then it is read again.
func (st *store) save(ctx context.Context, answers []answer, keep time.Duration) ([][]*Known, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	before := st.recorded(ctx, answers)
	pipe, now := st.rdb.Pipeline(), st.now()
	replies := make([]*redis.Cmd, len(answers))
	for i, a := range answers {
		key := st.record(a.ask.person.name())
		usable := slices.DeleteFunc(before[i], func(k *Known) bool { return now.Sub(k.ReadAt) >= keep || future(k, now) })
		at, sealed, err := st.seal(merge(a.known, usable), key)
		if len(sealed) > maxStored {
			at, sealed, err = st.seal([]*Known{a.known}, key)
		}
		left := keep - now.Sub(a.known.ReadAt)
		if err != nil || len(sealed) > maxStored || left < time.Millisecond {
			continue
		}
		replies[i] = saveScript.Eval(ctx, pipe, []string{key}, at, sealed, left.Milliseconds(), maxStored,
			now.Add(futureAge).UnixMilli())
	}
	_, err := pipe.Exec(ctx)
	for i, reply := range replies {
		if before[i] = nil; reply != nil && err == nil {
			old, _ := reply.Text()
			before[i] = st.open(old, st.record(answers[i].ask.person.name()))
		}
	}
	return before, err
}

// future reports whether an answer was read later than now, by more than clocks may differ.
func future(k *Known, now time.Time) bool { return k.ReadAt.Sub(now) > futureAge }

// claim claims people for this replica and reports which of them no other replica has claimed.
func (st *store) claim(ctx context.Context, asks []*ask, ttl time.Duration) ([]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	pipe := st.rdb.Pipeline()
	replies := make([]*redis.BoolCmd, len(asks))
	for i, a := range asks {
		replies[i] = pipe.SetNX(ctx, st.claims(a.person.name()), 1, max(ttl, time.Millisecond))
	}
	_, err := pipe.Exec(ctx)
	won := make([]bool, len(asks))
	for i, reply := range replies {
		won[i] = reply.Val()
	}
	return won, err
}

// release gives claims back after a failure. A claim that stays ends by itself.
func (st *store) release(ctx context.Context, asks []*ask) {
	keys := make([]string, len(asks))
	for i, a := range asks {
		keys[i] = st.claims(a.person.name())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	_ = st.rdb.Del(ctx, keys...).Err()
}

// The events on the channel.
const (
	eventChanged = "new" // followed by all names of a person
	eventErased  = "end" // about people whom it does not name: everything is read from Redis again
)

// publish notifies all replicas.
func (st *store) publish(ctx context.Context, events ...string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	pipe := st.rdb.Pipeline()
	for _, event := range events {
		pipe.Publish(ctx, st.channel(), event)
	}
	_, err := pipe.Exec(ctx)
	return err
}
