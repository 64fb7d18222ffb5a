package session

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/seal"
)

// Query asks for sessions: all of them, or those of one e-mail.
type Query struct {
	Email  string // "" = everybody's
	Cursor string // of the page before; "" = the first
	Limit  int    // at most so many, 1 to 1000
}

// Listing is one page. Sessions hold only what a summary does: who, host, since, last seen, until, from where.
type Listing struct {
	Sessions []*Session
	Next     string // cursor of the next page; "" after the last
}

// ErrCursor says that a cursor is none of ours.
var ErrCursor = errors.New("session: the cursor is not one that a listing returned")

// List pages through the sessions by their index, in the order of their end: the cost of a page does not depend on how many there are.
func (m *Manager) List(ctx context.Context, q Query) (Listing, error) {
	keys := m.listKeys(q)
	at, err := parseCursor(q.Cursor, len(keys))
	if err != nil {
		return Listing{}, err
	}
	var out Listing
	for at.key < len(keys) {
		refs, err := m.after(ctx, keys[at.key], at, q.Limit-len(out.Sessions)+1)
		if err != nil {
			return Listing{}, fmt.Errorf("session: list: %w", err)
		}
		if len(refs) == 0 {
			at = cursor{key: at.key + 1}
			continue
		}
		if len(out.Sessions) == q.Limit { // there is at least one more
			out.Next = at.encode()
			break
		}
		refs = refs[:min(len(refs), q.Limit-len(out.Sessions))]
		found, err := m.summaries(ctx, keys[at.key], refs)
		if err != nil {
			return Listing{}, fmt.Errorf("session: list: %w", err)
		}
		out.Sessions = append(out.Sessions, found...)
		last := refs[len(refs)-1]
		at.score, at.ref = last.Score, last.Member.(string)
	}
	return out, nil
}

// after reads the next entries of a list behind the cursor: by rank, so that it costs the same on every page. When the cursor's own
// entry has ended meanwhile, the entries of its score are gone through.
func (m *Manager) after(ctx context.Context, key string, at cursor, count int) ([]redis.Z, error) {
	rank, err := int64(0), error(redis.Nil)
	if at.ref != "" {
		rank, err = m.deps.Redis.ZRank(ctx, key, at.ref).Result()
	}
	switch {
	case err == nil:
		rank++
	case errors.Is(err, redis.Nil):
		living := strconv.FormatFloat(max(at.score, float64(m.deps.Now().UnixMilli())), 'f', -1, 64)
		rank, err = m.deps.Redis.ZCount(ctx, key, "-inf", "("+living).Result()
	}
	for err == nil {
		var refs []redis.Z
		if refs, rank, err = m.membersFrom(ctx, key, rank, count); err != nil {
			break
		}
		refs = slices.DeleteFunc(refs, func(z redis.Z) bool { return z.Score == at.score && z.Member.(string) <= at.ref })
		if len(refs) > 0 {
			return refs, nil
		}
	}
	switch {
	case errors.Is(err, errEnd):
		return nil, nil
	case isWrongType(err):
		return nil, m.discard(ctx, key)
	}
	return nil, err
}

func (m *Manager) listKeys(q Query) []string {
	if q.Email != "" {
		return m.namesOf("m", strings.ToLower(q.Email))
	}
	var keys []string
	for _, shard := range shards {
		keys = append(keys, m.allKey(string(shard)))
	}
	return keys
}

// namesOf are the keys of an index entry under every key of the ring: it may have been made before a rotation.
func (m *Manager) namesOf(family string, parts ...string) []string {
	var keys []string
	for _, mac := range m.deps.Ring.MACs(seal.UserIndex, indexName(parts...)) {
		keys = append(keys, m.indexKey(family, mac))
	}
	return keys
}

// summaries reads the summaries of a page in one round trip; entries whose session is gone are removed, which repairs the index.
func (m *Manager) summaries(ctx context.Context, index string, refs []redis.Z) ([]*Session, error) {
	pipe := m.deps.Redis.Pipeline()
	answers := make([]*redis.Cmd, len(refs))
	for i, z := range refs {
		answers[i] = getBounded(ctx, pipe, m.summaryKey(z.Member.(string)))
	}
	_, failure := pipe.Exec(ctx) // each answer has its own error, but where no connection was found
	var found []*Session
	var gone []any
	for i, z := range refs {
		ref := z.Member.(string)
		sealed, err := bounded(answers[i], failure)
		if err != nil {
			return nil, err
		}
		if sealed == "" && !isWrongType(answers[i].Err()) {
			gone = append(gone, ref)
			continue
		}
		u, err := decodeSummary(m.deps.Ring, ref, []byte(sealed))
		if err != nil {
			m.deps.Metrics.unreadable.Inc()
			continue
		}
		found = append(found, u.session(ref))
	}
	if len(gone) == 0 {
		return found, nil
	}
	return found, m.deps.Redis.ZRem(ctx, index, gone...).Err()
}

// cursor is the last row of a page: the list, its score and name.
type cursor struct {
	key   int
	score float64
	ref   string
}

func (c cursor) encode() string {
	return base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf("%d|%d|%s", c.key, int64(c.score), c.ref)))
}

func parseCursor(text string, keys int) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.Split(string(raw), "|")
	if err != nil || len(parts) != 3 {
		return cursor{}, ErrCursor
	}
	key, err1 := strconv.Atoi(parts[0])
	at, err2 := strconv.ParseInt(parts[1], 10, 64)
	if err1 != nil || err2 != nil || key < 0 || key >= keys || at < 0 {
		return cursor{}, ErrCursor
	}
	return cursor{key: key, score: float64(at), ref: parts[2]}, nil
}

func versionBytes(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }
