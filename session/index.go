package session

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/redisread"
)

// addToLists adds a session to its lists, and the sealing key to the list of keys in use. It removes a key of the wrong
// type, which would prevent the user from ever logging in.
func (st *store) addToLists(ctx context.Context, s *Session) error {
	end, now := s.ExpiresAt.UnixMilli(), st.now()
	lists, _ := st.keys.indexes(s)
	pipe := st.rdb.Pipeline()
	for _, key := range lists {
		pipe.ZAdd(ctx, key, redis.Z{Score: float64(end), Member: s.Ref})
		pipe.ZRemRangeByScore(ctx, key, "-inf", "("+strconv.FormatInt(now.UnixMilli(), 10))
		pipe.PExpire(ctx, key, s.ExpiresAt.Sub(now)+time.Hour)
	}
	note := st.keyNoteFor(s.ExpiresAt)
	if note != nil {
		pipe.ZAddGT(ctx, st.keys.sealKeys(), note.member())
	}
	commands, err := pipe.Exec(ctx)
	if err == nil && note != nil {
		st.noted.Store(note)
	}
	for _, c := range commands {
		if redisread.IsWrongType(c.Err()) {
			if fault := st.removeMistyped(ctx, c.Args()[1].(string)); fault != nil {
				return fault
			}
			err = c.Err()
		}
	}
	return err
}

// removeFromLists removes an ended session from its lists. Errors are ignored: List repairs the lists that it reads.
func (st *store) removeFromLists(ctx context.Context, s *Session) {
	lists, _ := st.keys.indexes(s)
	pipe := st.rdb.Pipeline()
	for _, key := range lists {
		pipe.ZRem(ctx, key, s.Ref)
	}
	_, _ = pipe.Exec(ctx)
}

// addScript adds a session to a list and never shortens the list's expiry: others in it may live longer.
var addScript = redis.NewScript(`
redis.call("ZADD", KEYS[1], ARGV[1], ARGV[2])
if redis.call("PTTL", KEYS[1]) < tonumber(ARGV[3]) then redis.call("PEXPIRE", KEYS[1], ARGV[3]) end`)

// reindex adds a live session to its lists again whenever its summary is written. Without it a session whose lists
// Redis lost (evicted, deleted) could not be found by "log out everywhere" and by operators. Errors are ignored: the
// next write repeats it.
func (st *store) reindex(ctx context.Context, s *Session) {
	end, ttl := s.ExpiresAt.UnixMilli(), st.timeLeft(s)+time.Hour.Milliseconds()
	current, older := st.keys.indexes(s)
	pipe := st.rdb.Pipeline()
	for _, key := range current {
		addScript.Eval(ctx, pipe, []string{key}, end, s.Ref, ttl)
	}
	for _, key := range older { // otherwise it would be listed twice after a key rotation
		pipe.ZRem(ctx, key, s.Ref)
	}
	_, _ = pipe.Exec(ctx)
}

// removeScript deletes a key that is not a list. It checks the type in the same step, because another replica may have
// removed the key and written the list meanwhile.
var removeScript = redis.NewScript(`
if redis.call("TYPE", KEYS[1]).ok == "zset" then return 0 end
return redis.call("DEL", KEYS[1])`)

// removeMistyped deletes a key that should be a list and is not.
func (st *store) removeMistyped(ctx context.Context, key string) error {
	removed, err := removeScript.Run(ctx, st.rdb, []string{key}).Int()
	if err != nil || removed == 0 {
		return err
	}
	st.metrics.unreadable.Inc()
	st.log.Error("removed a redis key of the wrong type: another application may use session.redis.key_prefix",
		"key", key)
	return nil
}
