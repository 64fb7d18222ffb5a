package redisclient

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
)

// queries are the commands of a probe; each returns nil if Redis served it.
type queries struct {
	read    func(context.Context) error
	write   func(context.Context) error
	connect func(context.Context) error // reads through a new connection
}

// newQueries returns queries of a key that only the probe uses. A read finds more than a PING, which also succeeds for
// a user that may read nothing (NOPERM) and at a node of a cluster that is down (CLUSTERDOWN). The client oneShot keeps
// no connection.
func newQueries(rdb, oneShot redis.UniversalClient, prefix string, cluster bool) queries {
	key := prefix + "probe"
	keys := []string{key}
	if cluster { // a key in each quarter of the slots: the cluster is down if none of its masters responds
		keys = []string{key + ":{0}", key + ":{1}", key + ":{2}", key + ":{3}"}
	}
	return queries{
		read:    func(ctx context.Context) error { return readAny(ctx, rdb, keys) },
		write:   func(ctx context.Context) error { return unavailable(rdb.Set(ctx, key, "", time.Second).Err()) },
		connect: func(ctx context.Context) error { return connectError(readAny(ctx, oneShot, keys)) },
	}
}

// readAny returns nil as soon as one of the keys was read.
func readAny(ctx context.Context, rdb redis.UniversalClient, keys []string) error {
	results := make(chan error, len(keys))
	for _, key := range keys {
		go func() {
			results <- recovered(func() error { return unavailable(rdb.GetRange(ctx, key, 0, 0).Err()) })
		}()
	}
	var err error
	for range keys {
		if err = <-results; err == nil {
			return nil
		}
	}
	return err
}

// recovered runs a query and returns its panic as an error: no reply of Redis may end the process.
func recovered(query func() error) (err error) {
	defer background.Recover(&err)
	return query()
}

// connectError returns err unless this machine ran out of file descriptors: visitors can cause that, and it says
// nothing about Redis.
func connectError(err error) error {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return nil
	}
	return err
}
