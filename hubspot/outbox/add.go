package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// addScript counts the login and queues it, once: the nonce identifies a retry whose first response was lost. It is
// written last, because a script that fails half-way is not rolled back. Records under an older key of the ring are
// renamed. KEYS: stream, index, the last login, forget key, forgotten people, the person's record under every key.
// ARGV: nonce, TTL of record and index, entry, logins, the person's name in the index, the last login or "", its TTL,
// the forget key or "*", the person's name among the forgotten. It returns the forget key if that is another one, and
// -1 if the person is forgotten: both are checked in this step, so that no login is added behind an operator's back.
// Without logins ("") nothing but the entry is written: it is about an address, whose record comes with its contact.
var addScript = redis.NewScript(`
if ARGV[8] ~= '*' then
  local key = redis.call('GET', KEYS[4]) or ''
  if key ~= ARGV[8] then return key end
  if key ~= '' and redis.call('SISMEMBER', KEYS[5], ARGV[9]) == 1 then return -1 end
end
if ARGV[4] == '' then
  redis.call('XADD', KEYS[1], '*', 'd', ARGV[3])
  return 1
end
for i = 7, #KEYS do
  if redis.call('EXISTS', KEYS[6]) == 0 and redis.call('EXISTS', KEYS[i]) == 1 then
    redis.call('RENAME', KEYS[i], KEYS[6])
  end
end
if redis.call('HGET', KEYS[6], 'nonce') == ARGV[1] then return 0 end
local n = (tonumber(redis.call('HGET', KEYS[6], 'n')) or 0) + ARGV[4]
redis.call('XADD', KEYS[1], '*', 'd', ARGV[3], 'n', n)
if ARGV[6] ~= '' then redis.call('SET', KEYS[3], ARGV[6], 'PX', ARGV[7]) end
redis.call('HSETNX', KEYS[2], ARGV[5], 0)
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[6], 'n', n, 'nonce', ARGV[1])
redis.call('PEXPIRE', KEYS[6], ARGV[2])
return 1
`)

// ErrForgotten means that an operator had the person forgotten.
var ErrForgotten = errors.New("hubspot: the person was forgotten")

// Add queues an entry. If it returns nil, Redis has stored it. It returns ErrForgotten for a forgotten person, except
// while the forget key cannot be opened: then the entry stays in the queue until it can be.
func (o *Outbox) Add(ctx context.Context, e Entry) error {
	names, args, err := o.addArgs(e)
	if err != nil {
		return err
	}
	result, err := o.runMarked(ctx, markedScript{addScript, e.Login.Email, names, args})
	if err == nil && result == forgottenReply {
		return ErrForgotten
	}
	return Explain(err)
}

// addArgs returns the keys and arguments of addScript, without the two about forgotten people.
func (o *Outbox) addArgs(e Entry) (names []string, args []any, err error) {
	sealed, err := o.seal(e)
	if err != nil {
		return nil, nil, err
	}
	name, logins := o.personName(e.Login), "1"
	switch {
	case e.Forced && e.Login.Subject == "":
		logins = ""
	case e.Forced:
		logins = "0"
	}
	last, ttl, err := o.sealLast(e)
	if err != nil {
		return nil, nil, fmt.Errorf("the last login: %w", err)
	}
	names = []string{
		o.keys.stream, o.indexKeys(e.Login.Email)[0], o.keys.last + name, o.keys.forgetKey, o.keys.forgotten,
	}
	args = []any{rand.Text(), personTTL.Milliseconds(), sealed, logins, name, last, ttl.Milliseconds()}
	return append(names, o.personKeys(e.Login)...), args, nil
}
