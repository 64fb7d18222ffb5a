package outbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// IndexRecords adds to the index of addresses what a version without an index has sent, so that the row of a file does
// not overwrite it. It reads all records, but only if the holder of the lease before this one was of such a version:
// each holder of this version leaves its number.
func (o Leased) IndexRecords(ctx context.Context) error {
	text, _, _ := strings.Cut(o.token, ":")
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("index the records of people: %w", err)
	}
	last, err := o.deps.Queue.Get(ctx, o.keys.indexed).Int64()
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("index the records of people: %w", err)
	}
	if last != number-1 {
		if err := o.scan(ctx, o.keys.person, func(keys []string) error { return o.indexRecords(ctx, keys) }); err != nil {
			return fmt.Errorf("index the records of people: %w", err)
		}
	}
	return o.deps.Queue.Set(ctx, o.keys.indexed, number, 0).Err()
}

// indexScript adds a person to the index of an address, for as long as the person's record is kept. KEYS: index,
// record. ARGV: the person's name, when a login was sent.
const indexScript = `
local ttl = redis.call('PTTL', KEYS[2])
if ttl <= 0 then return 0 end
if (tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0) == 0 then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
if redis.call('PTTL', KEYS[1]) < ttl then redis.call('PEXPIRE', KEYS[1], ttl) end
return 1`

// indexRecords adds people to the index whose login was sent.
func (o Leased) indexRecords(ctx context.Context, keys []string) error {
	pipe := o.deps.Queue.Pipeline()
	records := make([]*redis.SliceCmd, len(keys))
	for i, key := range keys {
		records[i] = pipe.HMGet(ctx, key, "email", "sent", "made", "n", "at")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	pipe = o.deps.Queue.Pipeline()
	for i, key := range keys {
		var fields [5]string
		for k, v := range records[i].Val() {
			fields[k], _ = v.(string)
		}
		email, sent, made, logins, at := fields[0], fields[1], fields[2], fields[3], fields[4]
		if email == "" || sent == "" || made == "" || at == "" || logins == "" || logins == "0" {
			continue // no login of the person was sent
		}
		names := []string{o.keys.index + email, key}
		pipe.Eval(ctx, indexScript, names, strings.TrimPrefix(key, o.keys.person), at)
	}
	_, err := pipe.Exec(ctx)
	return err
}
