package session

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/redisread"
)

// keyNote is the last entry that was written for the sealing key: at most once a minute, with a minute added for the
// sessions that begin until the next note.
type keyNote struct {
	id        string
	until, at time.Time
}

const keyNoteEvery = time.Minute

func (n *keyNote) member() redis.Z { return redis.Z{Score: float64(n.until.UnixMilli()), Member: n.id} }

// keyNoteFor returns the note to write for a session with this end, or nil if the last note covers it.
func (st *store) keyNoteFor(end time.Time) *keyNote {
	id, now := st.ring.IDs()[0].String(), st.now()
	last := st.noted.Load()
	if last != nil && last.id == id && now.Sub(last.at) < keyNoteEvery && !end.After(last.until) {
		return nil
	}
	return &keyNote{id: id, until: end.Add(keyNoteEvery), at: now}
}

// noteKey notes the sealing key before it seals a session that began under another key.
func (st *store) noteKey(ctx context.Context, end time.Time) error {
	note := st.keyNoteFor(end)
	if note == nil {
		return nil
	}
	err := st.rdb.ZAddGT(ctx, st.keys.sealKeys(), note.member()).Err()
	if redisread.IsWrongType(err) {
		return st.removeMistyped(ctx, st.keys.sealKeys())
	}
	if err == nil {
		st.noted.Store(note)
	}
	return err
}

// keysInUse returns for each key id of the ring when the last session that it sealed ends.
func (st *store) keysInUse(ctx context.Context) (map[string]time.Time, error) {
	inUse := map[string]time.Time{}
	err := st.list(st.keys.sealKeys()).Each(ctx, func(z redis.Z) {
		if until := time.UnixMilli(int64(z.Score)); until.After(st.now()) {
			inUse[z.Member.(string)] = until
		}
	})
	if redisread.IsWrongType(err) {
		err = st.removeMistyped(ctx, st.keys.sealKeys())
	}
	if err != nil {
		return nil, fmt.Errorf("session: keys in use: %w", err)
	}
	return inUse, nil
}
