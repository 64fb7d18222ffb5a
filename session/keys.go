package session

import (
	"context"
	"fmt"
	"time"
)

// KeysInUse tells until when sessions live that were sealed under each key of the ring, by the key's id: a key that is dropped earlier
// logs them out.
func (m *Manager) KeysInUse(ctx context.Context) (map[string]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	entries, err := m.deps.Redis.ZRangeWithScores(ctx, m.prefix+"keys", 0, -1).Result()
	if isWrongType(err) {
		err = m.discard(ctx, m.prefix+"keys")
	}
	if err != nil {
		return nil, fmt.Errorf("session: keys in use: %w", m.failed(err))
	}
	inUse := map[string]time.Time{}
	for _, z := range entries {
		id, _ := z.Member.(string)
		if until := time.UnixMilli(int64(z.Score)); until.After(m.deps.Now()) {
			inUse[id] = until
		}
	}
	return inUse, nil
}
