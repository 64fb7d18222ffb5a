package session

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/redisread"
	"github.com/hubgate/hubgate/internal/seal"
)

// store reads and writes sessions in Redis. It makes no decisions.
type store struct {
	rdb     redis.UniversalClient
	reads   *redisread.Batcher
	keys    keyspace
	ring    *seal.Ring
	metrics *Metrics
	log     *slog.Logger
	now     func() time.Time

	noted         atomic.Pointer[keyNote]
	publishDenied atomic.Bool // Redis refuses to let hubgate publish
}

// list returns a list of sessions or keys. The names of sessions are its longest members.
func (st *store) list(key string) redisread.List {
	return redisread.List{Redis: st.rdb, Key: key, MaxMember: 2 * refSize}
}

// storeTime bounds everything that one request asks of Redis.
const storeTime = 1200 * time.Millisecond

// detached returns a context for asking Redis. It is not canceled with the request, and ends after storeTime.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTime)
}

// createScript writes a new session's record while the summary that announced it is there.
var createScript = redis.NewScript(`
if redis.call("EXISTS", KEYS[2]) == 0 then return 0 end
redis.call("SET", KEYS[2], ARGV[2], "PX", ARGV[3])
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[3])
return 1`)

// announceTime is how long a summary without a record stays when the login is interrupted. It is longer than storeTime,
// in which the record follows.
const announceTime = 10 * time.Second

// create stores a new session in three steps: the summary, which announces it, then its lists, then its record. So an
// operator can find every record, and an end between two steps is not lost (CWE-367): it deletes the summary, and the
// record, which is in the same slot, is written only while the summary exists. Such a session has begun and ended, and
// the visitor's next request leads to a login.
func (st *store) create(ctx context.Context, t ticket, s *Session) error {
	stored, err := st.seal(t, s, 1)
	if err != nil {
		return err
	}
	sealed := encodeSummary(st.ring, s.Ref, toSummary(s))
	if err := st.rdb.Set(ctx, st.keys.summary(s.Ref), sealed, announceTime).Err(); err != nil {
		return err
	}
	err = st.addToLists(ctx, s)
	if redisread.IsWrongType(err) {
		err = st.addToLists(ctx, s) // the first call has removed the key of the wrong type
	}
	if err != nil {
		return err
	}
	keys := []string{st.keys.record(s.Ref), st.keys.summary(s.Ref)}
	return createScript.Run(ctx, st.rdb, keys, stored, sealed, st.timeLeft(s)).Err()
}

// seal encodes a session's record and observes its size.
func (st *store) seal(t ticket, s *Session, version uint64) ([]byte, error) {
	stored, err := encodeRecord(st.ring, t, s, version)
	if err == nil {
		st.metrics.size.Observe(float64(len(stored)))
	}
	return stored, err
}

// timeLeft returns the milliseconds until a session's absolute end, at least 1: Redis accepts no expiry of 0.
func (st *store) timeLeft(s *Session) int64 { return max(1, s.ExpiresAt.Sub(st.now()).Milliseconds()) }

// replaceScript replaces a record only if it still has the version that was read. An ended session is never written
// again (CWE-613), and two replicas that refresh at once do not overwrite each other. An equal record was written by a
// first try whose reply was lost.
var replaceScript = redis.NewScript(`
local old = redis.call("GET", KEYS[1])
if not old then return 0 end
if old == ARGV[2] then return 1 end
if string.sub(old, 1, 8) ~= ARGV[1] then return 2 end
local ttl = redis.call("PTTL", KEYS[1])
if ttl == -1 then ttl = ARGV[3] elseif ttl <= 0 then return 0 end
redis.call("SET", KEYS[1], ARGV[2], "PX", ttl)
return 1`)

// The results of replaceScript and summaryScript.
const (
	recordGone    = 0
	recordWritten = 1
	recordChanged = 2
)

// replace stores a changed session over the version that was read.
func (st *store) replace(ctx context.Context, t ticket, s *Session, version uint64) (result int, err error) {
	stored, err := st.seal(t, s, version+1)
	if err != nil {
		return 0, err
	}
	if err := st.noteKey(ctx, s.ExpiresAt); err != nil {
		return 0, err
	}
	keys := []string{st.keys.record(s.Ref)}
	return replaceScript.Run(ctx, st.rdb, keys, versionBytes(version), stored, st.timeLeft(s)).Int()
}

func versionBytes(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

// remove deletes a session's record, summary and lease, and reports whether any of them existed.
func (st *store) remove(ctx context.Context, ref string) (existed bool, err error) {
	n, err := st.rdb.Del(ctx, st.keys.record(ref), st.keys.summary(ref), st.keys.lease(ref)).Result()
	return n > 0, err
}

// summaryScript writes a summary only beside an existing record, so that an ended session leaves nothing behind. With a
// third argument it writes only over the summary that this is. A record without an expiry (PERSIST, a restored backup)
// gets its session's expiry again.
var summaryScript = redis.NewScript(`
local ttl = redis.call("PTTL", KEYS[1])
if ttl == -1 then
  ttl = ARGV[2]
  redis.call("PEXPIRE", KEYS[1], ttl)
elseif ttl <= 0 then return 0 end
if ARGV[3] and (redis.call("GET", KEYS[2]) or "") ~= ARGV[3] then return 2 end
redis.call("SET", KEYS[2], ARGV[1], "PX", ttl)
return 1`)

// errSummaryChanged means that another replica wrote the summary meanwhile.
var errSummaryChanged = errors.New("session: another replica saved the idle clock meanwhile")

// saveSummary writes a session's summary with the time when the visitor was last seen.
func (st *store) saveSummary(ctx context.Context, s *Session, seen int64) error {
	return st.writeSummary(ctx, s, seen)
}

// replaceSummary is saveSummary over one stored summary, or over none if stored is "". It returns errSummaryChanged if
// another one is stored by now.
func (st *store) replaceSummary(ctx context.Context, s *Session, seen int64, stored string) error {
	return st.writeSummary(ctx, s, seen, stored)
}

// writeSummary runs summaryScript with its third argument or without it.
func (st *store) writeSummary(ctx context.Context, s *Session, seen int64, third ...any) error {
	if err := st.noteKey(ctx, s.ExpiresAt); err != nil {
		return err
	}
	u := toSummary(s)
	u.Seen = seen
	keys := []string{st.keys.record(s.Ref), st.keys.summary(s.Ref)}
	args := append([]any{encodeSummary(st.ring, s.Ref, u), st.timeLeft(s)}, third...)
	result, err := summaryScript.Run(ctx, st.rdb, keys, args...).Int()
	switch result {
	case recordWritten:
		st.reindex(ctx, s)
	case recordChanged:
		return errSummaryChanged
	}
	return err
}

// summary returns a session's summary, and its stored form. known is false if it is absent or cannot be opened.
func (st *store) summary(ctx context.Context, ref string) (u summary, sealed string, known bool, err error) {
	sealed, err = redisread.Text(redisread.Request(ctx, st.rdb, st.keys.summary(ref), maxStored), nil)
	if err != nil {
		return summary{}, "", false, err
	}
	u, unreadable := decodeSummary(st.ring, ref, []byte(sealed))
	return u, sealed, unreadable == nil, nil
}

// publish notifies the other replicas that a session ended or changed. A Redis user without the permission to publish
// is not an error: the replicas notice within cache_ttl.
func (st *store) publish(ctx context.Context, message string) error {
	err := st.rdb.Publish(ctx, st.keys.channel(), message).Err()
	if err == nil {
		st.publishDenied.Store(false)
		return nil
	}
	if !strings.HasPrefix(err.Error(), "NOPERM") {
		return err
	}
	if !st.publishDenied.Swap(true) {
		st.log.Warn("redis does not permit hubgate to publish: "+
			"other replicas notice the end of a session only after session.cache_ttl", "error", err, "cure", st.publishCure())
	}
	return nil
}

// publishCure returns the command that grants the Redis user the permission to publish.
func (st *store) publishCure() string {
	return "ACL SETUSER <user> +publish +subscribe &" + st.keys.channel()
}
