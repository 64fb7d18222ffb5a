package session

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/redisread"
)

// Pauses between two counts of the live sessions.
const (
	countEvery = 30 * time.Second
	countRetry = 5 * time.Second // after a count that failed
)

// countLive counts the live sessions for the metric until ctx ends, so that a scrape never waits for Redis. After a
// count that failed the number is unknown: 0 would look as if everyone had been logged out, and the last number would
// hide that they were.
func (m *Manager) countLive(ctx context.Context) {
	for background.Sleep(ctx, m.countLiveOnce(ctx)) {
	}
}

// countLiveOnce sets the metric and returns how long to wait until the next count.
func (m *Manager) countLiveOnce(ctx context.Context) time.Duration {
	n, err := m.store.live(ctx)
	if err != nil {
		m.deps.Metrics.live.Set(math.NaN())
		return countRetry
	}
	m.deps.Metrics.live.Set(float64(n))
	return countEvery
}

// live returns how many sessions have not ended. It costs one command for each shard, in one round trip, however many
// sessions there are.
func (st *store) live(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	pipe := st.rdb.Pipeline()
	after := "(" + strconv.FormatInt(st.now().UnixMilli(), 10)
	shards := st.keys.shards()
	counts := make([]*redis.IntCmd, len(shards))
	for i, key := range shards {
		counts[i] = pipe.ZCount(ctx, key, after, "+inf")
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	var total int64
	for i, count := range counts {
		n, err := count.Result()
		if redisread.IsWrongType(err) {
			err = st.removeMistyped(ctx, shards[i])
		}
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
