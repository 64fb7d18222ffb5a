package session

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// enterScript enters a session into a list and never brings the list's end nearer: others in it may live longer.
var enterScript = redis.NewScript(`
redis.call("ZADD", KEYS[1], ARGV[1], ARGV[2])
if redis.call("PTTL", KEYS[1]) < tonumber(ARGV[3]) then redis.call("PEXPIRE", KEYS[1], ARGV[3]) end`)

// enterAgain enters a living session into the lists it is found by, with each write of its clock: a list that Redis lost (evicted,
// deleted) would put it out of reach of "log out everywhere" and of operators for as long as it lives. What fails is done by the
// next write.
func (m *Manager) enterAgain(ctx context.Context, s *Session) {
	end, life := s.ExpiresAt.UnixMilli(), m.left(s)+time.Hour.Milliseconds()
	pipe := m.deps.Redis.Pipeline()
	for _, key := range m.indexKeys(s) {
		enterScript.Eval(ctx, pipe, []string{key}, end, s.Ref, life)
	}
	for _, key := range m.olderKeys(s) { // else it would be listed twice after a rotation
		pipe.ZRem(ctx, key, s.Ref)
	}
	_, _ = pipe.Exec(ctx)
}

// olderKeys are the names of the same lists under the ring's other keys.
func (m *Manager) olderKeys(s *Session) []string {
	keys := m.namesOf("u", s.Issuer, s.Subject)[1:]
	if s.Email != "" {
		keys = append(keys, m.namesOf("m", strings.ToLower(s.Email))[1:]...)
	}
	if s.SID != "" {
		keys = append(keys, m.namesOf("sid", s.Issuer, s.SID)[1:]...)
	}
	return keys
}
