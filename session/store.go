package session

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/seal"
)

// Keys in Redis. The braces are hash tags: a record, its summary and its lease share a slot, so scripts over them work in a cluster.
// No command spans two tags.
func (m *Manager) recordKey(ref string) string  { return m.prefix + "s:{" + ref + "}" }
func (m *Manager) summaryKey(ref string) string { return m.prefix + "sum:{" + ref + "}" }
func (m *Manager) leaseKey(ref string) string   { return m.prefix + "l:{" + ref + "}" }
func (m *Manager) channel() string              { return m.prefix + "ch" }
func (m *Manager) allKey(shard string) string   { return m.prefix + "all:{" + shard + "}" }

// shards are the 16 lists of all sessions: the first digit of the record's name.
const shards = "0123456789abcdef"

// indexKeys are the lists a session is found by. Names are MACs, so Redis does not tell who is logged in.
func (m *Manager) indexKeys(s *Session) []string {
	mac := func(family string, parts ...string) string {
		return m.indexKey(family, m.deps.Ring.MAC(seal.UserIndex, indexName(parts...)))
	}
	keys := []string{m.allKey(s.Ref[:1]), mac("u", s.Issuer, s.Subject)}
	if s.Email != "" {
		keys = append(keys, mac("m", strings.ToLower(s.Email)))
	}
	if s.SID != "" {
		keys = append(keys, mac("sid", s.Issuer, s.SID))
	}
	return keys
}

func (m *Manager) indexKey(family string, mac []byte) string {
	return m.prefix + family + ":{" + base64.RawURLEncoding.EncodeToString(mac[:16]) + "}"
}

// indexName separates the parts by what none of them holds, so that two users cannot share a name (SE-13).
func indexName(parts ...string) []byte { return []byte(strings.Join(parts, "\x00")) }

// createScript writes a new session's record while the summary that announced it is there.
var createScript = redis.NewScript(`
if redis.call("EXISTS", KEYS[2]) == 0 then return 0 end
redis.call("SET", KEYS[2], ARGV[2], "PX", ARGV[3])
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[3])
return 1`)

// announceTime is how long a summary without a record stays when the login breaks off: longer than storeTime, in
// which the record follows.
const announceTime = 10 * time.Second

// write stores a new session in three steps: the summary, which announces it, then the lists it is found by, then its
// record. A record is never out of an operator's reach, and an end that comes between two steps is not lost
// (CWE-367): whoever finds the session in a list deletes its summary, and the record, which shares the summary's
// slot, is written only while that is there. The session has then begun and ended, and the next request of its
// visitor leads to a login.
func (m *Manager) write(ctx context.Context, t ticket, s *Session) error {
	stored, err := m.seal(t, s, 1)
	if err != nil {
		return err
	}
	sealed := encodeSummary(m.deps.Ring, s.Ref, toSummary(s))
	if err := m.deps.Redis.Set(ctx, m.summaryKey(s.Ref), sealed, announceTime).Err(); err != nil {
		return err
	}
	err = m.writeIndex(ctx, s)
	if isWrongType(err) {
		err = m.writeIndex(ctx, s) // what was in the way is gone
	}
	if err != nil {
		return err
	}
	keys := []string{m.recordKey(s.Ref), m.summaryKey(s.Ref)}
	return createScript.Run(ctx, m.deps.Redis, keys, stored, sealed, m.left(s)).Err()
}

// seal makes a session's record, and measures it.
func (m *Manager) seal(t ticket, s *Session, version uint64) ([]byte, error) {
	stored, err := encodeRecord(m.deps.Ring, t, s, version)
	if err == nil {
		m.deps.Metrics.size.Observe(float64(len(stored)))
	}
	return stored, err
}

// writeIndex enters a session into the lists it is found by, and its key's id into the list of keys in use. A key of ours that holds
// something else would keep its user out for ever: it is removed.
func (m *Manager) writeIndex(ctx context.Context, s *Session) error {
	end, now := s.ExpiresAt.UnixMilli(), m.deps.Now()
	pipe := m.deps.Redis.Pipeline()
	for _, key := range m.indexKeys(s) {
		pipe.ZAdd(ctx, key, redis.Z{Score: float64(end), Member: s.Ref})
		pipe.ZRemRangeByScore(ctx, key, "-inf", "("+formatInt(now.UnixMilli()))
		pipe.PExpire(ctx, key, s.ExpiresAt.Sub(now)+time.Hour)
	}
	note := m.keyNoted(s.ExpiresAt)
	if note != nil {
		pipe.ZAddGT(ctx, m.prefix+"keys", redis.Z{Score: float64(note.until.UnixMilli()), Member: note.id})
	}
	commands, err := pipe.Exec(ctx)
	if err == nil && note != nil {
		m.noted.Store(note)
	}
	for _, c := range commands {
		if isWrongType(c.Err()) {
			if fault := m.discard(ctx, c.Args()[1].(string)); fault != nil {
				return fault
			}
			err = c.Err()
		}
	}
	return err
}

// discardScript removes what is no list of ours, in one step: another replica may have removed it too, and have written already.
var discardScript = redis.NewScript(`
if redis.call("TYPE", KEYS[1]).ok == "zset" then return 0 end
return redis.call("DEL", KEYS[1])`)

// discard removes a key of ours that should be a list and is not.
func (m *Manager) discard(ctx context.Context, key string) error {
	removed, err := discardScript.Run(ctx, m.deps.Redis, []string{key}).Int()
	if err != nil || removed == 0 {
		return err
	}
	m.deps.Metrics.unreadable.Inc()
	m.deps.Log.Error("a key in redis is of a type that hubgate does not put there; it is removed: does anybody else use session.redis.key_prefix?", "key", key)
	return nil
}

// clockScript writes the summary only beside a living record: an ended session leaves nothing behind. A record without an end (PERSIST,
// a restored backup) gets that of its session again.
var clockScript = redis.NewScript(`
local ttl = redis.call("PTTL", KEYS[1])
if ttl == -1 then
  ttl = ARGV[2]
  redis.call("PEXPIRE", KEYS[1], ttl)
elseif ttl <= 0 then return 0 end
redis.call("SET", KEYS[2], ARGV[1], "PX", ttl)
return 1`)

func (m *Manager) writeClock(ctx context.Context, s *Session, seen int64) error {
	if err := m.noteKey(ctx, s.ExpiresAt); err != nil {
		return err
	}
	u := toSummary(s)
	u.Seen = seen
	sealed := encodeSummary(m.deps.Ring, s.Ref, u)
	lives, err := clockScript.Run(ctx, m.deps.Redis, []string{m.recordKey(s.Ref), m.summaryKey(s.Ref)}, sealed, m.left(s)).Bool()
	if lives {
		m.enterAgain(ctx, s)
	}
	return err
}

// left is how long a session may live yet, in milliseconds; Redis takes no life of nothing.
func (m *Manager) left(s *Session) int64 { return max(1, s.ExpiresAt.Sub(m.deps.Now()).Milliseconds()) }

// replaceScript writes a record only over the version that was read: an ended one is never written again (SE-09), and two replicas
// that refresh at once do not overwrite each other. A record that is already as it should be was written by a first try whose answer
// was lost.
var replaceScript = redis.NewScript(`
local old = redis.call("GET", KEYS[1])
if not old then return 0 end
if old == ARGV[2] then return 1 end
if string.sub(old, 1, 8) ~= ARGV[1] then return 2 end
local ttl = redis.call("PTTL", KEYS[1])
if ttl == -1 then ttl = ARGV[3] elseif ttl <= 0 then return 0 end
redis.call("SET", KEYS[1], ARGV[2], "PX", ttl)
return 1`)

// The answers of replaceScript.
const (
	recordGone    = 0
	recordWritten = 1
	recordChanged = 2
)

// replace stores a changed session over the version that was read.
func (m *Manager) replace(ctx context.Context, t ticket, s *Session, version uint64) (outcome int, err error) {
	stored, err := m.seal(t, s, version+1)
	if err != nil {
		return 0, err
	}
	if err := m.noteKey(ctx, s.ExpiresAt); err != nil {
		return 0, err
	}
	keys := []string{m.recordKey(s.Ref)}
	return replaceScript.Run(ctx, m.deps.Redis, keys, versionBytes(version), stored, m.left(s)).Int()
}

// end deletes a session: record, then index. What Redis does not take now is done later; this replica knows at once.
func (m *Manager) end(ctx context.Context, e ending) error {
	m.forget(e.ref)
	_, err := m.remove(ctx, e)
	if err != nil {
		m.owe(chore{ending: e})
	}
	return err
}

// remove deletes the record and tells every replica.
func (m *Manager) remove(ctx context.Context, e ending) (existed bool, err error) {
	sealed, err := m.sealedSummary(ctx, e.ref)
	if err != nil {
		return false, err
	}
	u, unknown := decodeSummary(m.deps.Ring, e.ref, sealed)
	if !e.others.IsZero() && unknown == nil { // first: once the summary is gone nobody can tell whose they are
		if _, err := m.endListed(ctx, m.namesOf("u", u.Issuer, u.Subject), e.others); err != nil {
			return false, err
		}
	}
	n, err := m.deps.Redis.Del(ctx, m.recordKey(e.ref), m.summaryKey(e.ref), m.leaseKey(e.ref)).Result()
	if err != nil {
		return false, err
	}
	if e.again && n == 0 {
		return false, nil
	}
	if err := m.announce(ctx, "end "+e.ref); err != nil {
		return false, err
	}
	if n > 0 {
		m.deps.Metrics.ended.WithLabelValues(e.reason).Inc()
		m.deps.Audit.InfoContext(ctx, "session ended", "action", "session_end", "outcome", "success", "reason", e.reason, "session", e.ref, "email", u.Email)
	}
	if unknown == nil {
		pipe := m.deps.Redis.Pipeline()
		for _, key := range m.indexKeys(u.session(e.ref)) {
			pipe.ZRem(ctx, key, e.ref)
		}
		_, _ = pipe.Exec(ctx) // indexes are repaired when they are read
	}
	return n > 0, nil
}

// sealedSummary reads a summary; an absent one is empty, and does not open.
func (m *Manager) sealedSummary(ctx context.Context, ref string) ([]byte, error) {
	sealed, err := bounded(getBounded(ctx, m.deps.Redis, m.summaryKey(ref)), nil)
	return []byte(sealed), err
}

func isWrongType(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE") }
