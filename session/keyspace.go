package session

import (
	"encoding/base64"
	"strings"

	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
)

// keyspace names the keys in Redis. The braces are hash tags: a session's record, summary and lease share a slot, so
// that scripts can use them together in a cluster. No command spans two tags.
type keyspace struct {
	prefix string
	ring   *seal.Ring
}

func (k keyspace) record(ref string) string   { return k.prefix + "s:{" + ref + "}" }
func (k keyspace) summary(ref string) string  { return k.prefix + "sum:{" + ref + "}" }
func (k keyspace) lease(ref string) string    { return k.prefix + "l:{" + ref + "}" }
func (k keyspace) failures(ref string) string { return k.lease(ref) + ":n" }
func (k keyspace) channel() string            { return k.prefix + "ch" }
func (k keyspace) sealKeys() string           { return k.prefix + "keys" }

// digits are the first characters of session names. Each has its own list of sessions.
const digits = "0123456789abcdef"

// shard returns the list of all sessions whose name begins with a digit.
func (k keyspace) shard(digit string) string { return k.prefix + "all:{" + digit + "}" }

// shards returns the lists that together hold all sessions.
func (k keyspace) shards() []string {
	var lists []string
	for _, digit := range digits {
		lists = append(lists, k.shard(string(digit)))
	}
	return lists
}

// user, email and sid return the lists of each: one for each key of the ring, the sealing key's first.
func (k keyspace) user(issuer, subject string) []string { return k.lists("u", issuer, subject) }
func (k keyspace) email(email string) []string          { return k.lists("m", setting.Lower(email)) }
func (k keyspace) sid(issuer, sid string) []string      { return k.lists("sid", issuer, sid) }

// lists names lists by MACs, so that Redis does not reveal who is logged in. The separator is a byte that no part can
// contain, so that two users cannot share a list (CWE-694).
func (k keyspace) lists(family string, parts ...string) []string {
	var lists []string
	for _, mac := range k.ring.MACs(seal.UserIndex, []byte(strings.Join(parts, "\x00"))) {
		lists = append(lists, k.prefix+family+":{"+base64.RawURLEncoding.EncodeToString(mac[:16])+"}")
	}
	return lists
}

// indexes returns the lists that a session belongs to: the current ones under the sealing key, and those under the
// older keys of the ring.
func (k keyspace) indexes(s *Session) (current, older []string) {
	current = []string{k.shard(s.Ref[:1])}
	add := func(lists []string) {
		current, older = append(current, lists[0]), append(older, lists[1:]...)
	}
	add(k.user(s.Issuer, s.Subject))
	if s.Email != "" {
		add(k.email(s.Email))
	}
	if s.SID != "" {
		add(k.sid(s.Issuer, s.SID))
	}
	return current, older
}
