package session

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// KeysInUse tells until when sessions live that were sealed under each key of the ring, by the key's id: a key that is dropped earlier
// logs them out.
func (m *Manager) KeysInUse(ctx context.Context) (map[string]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	inUse := map[string]time.Time{}
	err := m.members(ctx, m.prefix+"keys", func(z redis.Z) {
		if until := time.UnixMilli(int64(z.Score)); until.After(m.deps.Now()) {
			inUse[z.Member.(string)] = until
		}
	})
	if isWrongType(err) {
		err = m.discard(ctx, m.prefix+"keys")
	}
	if err != nil {
		return nil, fmt.Errorf("session: keys in use: %w", err)
	}
	return inUse, nil
}

// keyNote is what was last written about the key that seals: at most once a minute, with a minute added for the sessions until then.
type keyNote struct {
	id        string
	until, at time.Time
}

const keyNoteEvery = time.Minute

// keyNoted is what is to be written for a session that ends at a time; nil when what was written covers it.
func (m *Manager) keyNoted(end time.Time) *keyNote {
	id, now := m.deps.Ring.IDs()[0].String(), m.deps.Now()
	if last := m.noted.Load(); last != nil && last.id == id && now.Sub(last.at) < keyNoteEvery && !end.After(last.until) {
		return nil
	}
	return &keyNote{id: id, until: end.Add(keyNoteEvery), at: now}
}

// noteKey notes the key that seals before anything is sealed anew with it for a session that began under another one.
func (m *Manager) noteKey(ctx context.Context, end time.Time) error {
	note := m.keyNoted(end)
	if note == nil {
		return nil
	}
	err := m.deps.Redis.ZAddGT(ctx, m.prefix+"keys", redis.Z{Score: float64(note.until.UnixMilli()), Member: note.id}).Err()
	if isWrongType(err) {
		return m.discard(ctx, m.prefix+"keys")
	}
	if err == nil {
		m.noted.Store(note)
	}
	return err
}
