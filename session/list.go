package session

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/redisread"
)

// Query selects sessions: all of them, or those of one email address.
type Query struct {
	Email  string // "" = all
	Cursor string // Listing.Next of the previous page; "" = the first page
	Limit  int    // maximum number of sessions, 1 to 1000
}

// Listing is one page. Its sessions have only the fields that a summary holds.
type Listing struct {
	Sessions []*Session
	Next     string // cursor of the next page; "" after the last
}

// ErrCursor means that a cursor is not one that List returned.
var ErrCursor = errors.New("session: invalid cursor")

// List returns a page of sessions, ordered by their end. The cost of a page does not depend on the number of sessions.
func (m *Manager) List(ctx context.Context, q Query) (Listing, error) {
	lists := m.store.keys.shards()
	if q.Email != "" {
		lists = m.store.keys.email(q.Email)
	}
	at, err := parseCursor(q.Cursor, len(lists))
	if err != nil {
		return Listing{}, err
	}
	var out Listing
	for at.list < len(lists) {
		refs, err := m.store.refsAfter(ctx, lists[at.list], at, q.Limit-len(out.Sessions)+1)
		if err != nil {
			return Listing{}, fmt.Errorf("session: list: %w", err)
		}
		if len(refs) == 0 {
			at = cursor{list: at.list + 1}
			continue
		}
		if len(out.Sessions) == q.Limit { // there is at least one more
			out.Next = at.encode()
			break
		}
		refs = refs[:min(len(refs), q.Limit-len(out.Sessions))]
		found, err := m.store.summaries(ctx, lists[at.list], refs)
		if err != nil {
			return Listing{}, fmt.Errorf("session: list: %w", err)
		}
		out.Sessions = append(out.Sessions, found...)
		at.score, at.ref = refs[len(refs)-1].Score, refs[len(refs)-1].Member.(string)
	}
	return out, nil
}

// maxCounted bounds the work to count the sessions of a user.
const maxCounted = 100

// CountUser returns the number of a user's sessions, at most 100. It does not count those that have ended.
func (m *Manager) CountUser(ctx context.Context, issuer, subject string) (int, error) {
	n := 0
	for _, list := range m.store.keys.user(issuer, subject) {
		refs, err := m.store.refsAfter(ctx, list, cursor{}, maxCounted)
		if err != nil {
			return 0, fmt.Errorf("session: count: %w", err)
		}
		found, err := m.store.summaries(ctx, list, refs)
		if err != nil {
			return 0, fmt.Errorf("session: count: %w", err)
		}
		n += len(found)
	}
	return min(n, maxCounted), nil
}

// refsAfter returns the entries of a list after the cursor. It reads by rank, so that every page costs the same. If the
// cursor's own entry has ended meanwhile, it reads all entries of that score.
func (st *store) refsAfter(ctx context.Context, key string, at cursor, count int) ([]redis.Z, error) {
	rank, err := int64(0), error(redis.Nil)
	if at.ref != "" {
		rank, err = st.rdb.ZRank(ctx, key, at.ref).Result()
	}
	switch {
	case err == nil:
		rank++
	case errors.Is(err, redis.Nil):
		live := strconv.FormatFloat(max(at.score, float64(st.now().UnixMilli())), 'f', -1, 64)
		rank, err = st.rdb.ZCount(ctx, key, "-inf", "("+live).Result()
	}
	for err == nil {
		var refs []redis.Z
		if refs, rank, err = st.list(key).From(ctx, rank, count); err != nil {
			break
		}
		refs = slices.DeleteFunc(refs, func(z redis.Z) bool {
			return z.Score == at.score && z.Member.(string) <= at.ref
		})
		if len(refs) > 0 {
			return refs, nil
		}
	}
	switch {
	case errors.Is(err, redisread.ErrEnd):
		return nil, nil
	case redisread.IsWrongType(err):
		return nil, st.removeMistyped(ctx, key)
	}
	return nil, err
}

// summaries returns the sessions of a page in one round trip. It removes entries without a session from the list.
func (st *store) summaries(ctx context.Context, list string, refs []redis.Z) ([]*Session, error) {
	pipe := st.rdb.Pipeline()
	replies := make([]*redis.Cmd, len(refs))
	for i, z := range refs {
		replies[i] = redisread.Request(ctx, pipe, st.keys.summary(z.Member.(string)), maxStored)
	}
	_, failure := pipe.Exec(ctx)
	var found []*Session
	var gone []any
	for i, z := range refs {
		ref := z.Member.(string)
		sealed, err := redisread.Text(replies[i], failure)
		if err != nil {
			return nil, err
		}
		if sealed == "" && !redisread.IsWrongType(replies[i].Err()) {
			gone = append(gone, ref)
			continue
		}
		u, err := decodeSummary(st.ring, ref, []byte(sealed))
		if err != nil {
			st.metrics.unreadable.Inc()
			continue
		}
		found = append(found, u.session(ref))
	}
	if len(gone) == 0 {
		return found, nil
	}
	return found, st.rdb.ZRem(ctx, list, gone...).Err()
}

// cursor is the last row of a page: its list, score and name.
type cursor struct {
	list  int
	score float64
	ref   string
}

func (c cursor) encode() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d|%d|%s", c.list, int64(c.score), c.ref))
}

func parseCursor(text string, lists int) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.Split(string(raw), "|")
	if err != nil || len(parts) != 3 {
		return cursor{}, ErrCursor
	}
	list, err1 := strconv.Atoi(parts[0])
	score, err2 := strconv.ParseInt(parts[1], 10, 64)
	if err1 != nil || err2 != nil || list < 0 || list >= lists || score < 0 {
		return cursor{}, ErrCursor
	}
	return cursor{list: list, score: float64(score), ref: parts[2]}, nil
}
