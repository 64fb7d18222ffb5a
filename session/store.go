package session

import (
	"context"
	"encoding/base64"
	"errors"
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

// write stores a new session: index first, then summary and record, so that a record is never out of an operator's reach.
func (m *Manager) write(ctx context.Context, t ticket, s *Session) error {
	stored, err := encodeRecord(m.deps.Ring, t, s, 1)
	if err != nil {
		return err
	}
	sealed, err := encodeSummary(m.deps.Ring, s.Ref, toSummary(s))
	if err != nil {
		return err
	}
	err = m.writeIndex(ctx, s)
	if isWrongType(err) {
		err = m.writeIndex(ctx, s) // what was in the way is gone
	}
	if err != nil {
		return err
	}
	life := s.ExpiresAt.Sub(m.deps.Now())
	if err := m.deps.Redis.Set(ctx, m.summaryKey(s.Ref), sealed, life).Err(); err != nil {
		return err
	}
	return m.deps.Redis.Set(ctx, m.recordKey(s.Ref), stored, life).Err()
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
	pipe.ZAddGT(ctx, m.prefix+"keys", redis.Z{Score: float64(end), Member: m.deps.Ring.IDs()[0].String()})
	commands, err := pipe.Exec(ctx)
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

// discard removes a key of ours that holds what we never put there.
func (m *Manager) discard(ctx context.Context, key string) error {
	m.deps.Metrics.unreadable.Inc()
	m.deps.Log.Error("a key in redis is of a type that hubgate does not put there; it is removed: does anybody else use session.redis.key_prefix?", "key", key)
	return m.deps.Redis.Del(ctx, key).Err()
}

// clockScript writes the summary only beside a living record: an ended session leaves nothing behind.
var clockScript = redis.NewScript(`
local ttl = redis.call("PTTL", KEYS[1])
if ttl <= 0 then return 0 end
redis.call("SET", KEYS[2], ARGV[1], "PX", ttl)
return 1`)

func (m *Manager) writeClock(ctx context.Context, s *Session, seen int64) error {
	u := toSummary(s)
	u.Seen = seen
	sealed, err := encodeSummary(m.deps.Ring, s.Ref, u)
	if err != nil {
		return err
	}
	return clockScript.Run(ctx, m.deps.Redis, []string{m.recordKey(s.Ref), m.summaryKey(s.Ref)}, sealed).Err()
}

// replaceScript writes a record only over the version that was read: an ended one is never written again (SE-09), and two replicas
// that refresh at once do not overwrite each other.
var replaceScript = redis.NewScript(`
local old = redis.call("GETRANGE", KEYS[1], 0, 7)
if old ~= ARGV[1] then return 0 end
local ttl = redis.call("PTTL", KEYS[1])
if ttl <= 0 then return 0 end
redis.call("SET", KEYS[1], ARGV[2], "PX", ttl)
return 1`)

// replace stores a changed session; false means that it ended or changed meanwhile.
func (m *Manager) replace(ctx context.Context, t ticket, s *Session, version uint64) (bool, error) {
	stored, err := encodeRecord(m.deps.Ring, t, s, version+1)
	if err != nil {
		return false, err
	}
	n, err := replaceScript.Run(ctx, m.deps.Redis, []string{m.recordKey(s.Ref)}, versionBytes(version), stored).Int()
	return n == 1, err
}

// end deletes a session: record, then index. What Redis does not take now is done later; this replica knows at once.
func (m *Manager) end(ctx context.Context, ref, reason string) {
	m.forget(ref)
	e := ending{ref: ref, reason: reason}
	if _, err := m.remove(ctx, e); err != nil {
		m.failed(err)
		m.later(chore{ending: e})
	}
}

// remove deletes the record and tells every replica.
func (m *Manager) remove(ctx context.Context, e ending) (existed bool, err error) {
	sealed, err := m.deps.Redis.Get(ctx, m.summaryKey(e.ref)).Bytes()
	if err != nil && !errors.Is(err, redis.Nil) && !isWrongType(err) {
		return false, err
	}
	n, err := m.deps.Redis.Del(ctx, m.recordKey(e.ref), m.summaryKey(e.ref), m.leaseKey(e.ref)).Result()
	if err != nil {
		return false, err
	}
	if err := m.deps.Redis.Publish(ctx, m.channel(), "end "+e.ref).Err(); err != nil {
		return false, err
	}
	u, unknown := decodeSummary(m.deps.Ring, e.ref, sealed)
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

// ending is a session's end that Redis has not taken yet.
type ending struct{ ref, reason string }

// chore is what Redis did not take at first: a session's end, or the idle clock of one that was used meanwhile. Without the latter
// another replica would find the session idle although it was not, and end it for Redis' fault.
type chore struct {
	ending
	clock *cached
}

// later keeps a chore for when Redis is back. Idle clocks leave room for endings, which matter more.
func (m *Manager) later(c chore) {
	if c.clock != nil && len(m.chores) > maxChores/2 {
		return
	}
	select {
	case m.chores <- c:
	default: // the record ends by itself at its time; this replica has its tombstone
		m.deps.Log.Error("too many session ends are waiting for redis; one is dropped", "session", c.ref)
	}
}

func isWrongType(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE") }
