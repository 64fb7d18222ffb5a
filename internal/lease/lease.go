package lease

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
)

// Lease is the exclusive right that a key represents. Copies of a Lease are the same holder.
type Lease struct {
	Redis redis.UniversalClient
	Key   string
	Token string        // identifies the holder: unique, at most maxToken bytes, not Blocked
	TTL   time.Duration // the lease ends this long after it was acquired or last renewed
}

// ErrLost means that another process holds the lease, so that what this one does is out of date.
var ErrLost = errors.New("another replica holds the lease")

// Blocked takes the place of the token while the lease cannot be acquired: see ReleaseAfter.
const Blocked = "wait"

// maxToken bounds what is read of a key. Otherwise anyone who can write to Redis could fill the memory of every process
// that reads it (CWE-770).
const maxToken = 255

// Acquire reports whether the lease was acquired. It is idempotent: a retry after a lost reply finds its own token.
func (l Lease) Acquire(ctx context.Context) (bool, error) {
	acquired, err := l.Redis.SetNX(ctx, l.Key, l.Token, l.TTL).Result()
	if err != nil || acquired {
		return acquired, err
	}
	holder, err := l.Holder(ctx)
	return holder == l.Token, err
}

// Holder returns the token of the holder, Blocked, or "" if the lease is free.
func (l Lease) Holder(ctx context.Context) (string, error) {
	return l.Redis.GetRange(ctx, l.Key, 0, maxToken).Result()
}

var renewScript = redis.NewScript(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("PEXPIRE", KEYS[1], ARGV[2])`)

// Renew extends the lease by its TTL. It reports false if it is no longer held.
func (l Lease) Renew(ctx context.Context) (held bool, err error) {
	return renewScript.Run(ctx, l.Redis, []string{l.Key}, l.Token, l.TTL.Milliseconds()).Bool()
}

// KeepAlive renews the lease until stop is called, even after ctx has ended. Errors are ignored: the next renewal
// follows after a third of the TTL.
func (l Lease) KeepAlive(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() { _ = background.Catch(func() { l.renewUntil(ctx) }) }() // after a panic the lease expires
	return cancel
}

func (l Lease) renewUntil(ctx context.Context) {
	tick := time.NewTicker(l.TTL / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_, _ = l.Renew(ctx)
		}
	}
}

var releaseScript = redis.NewScript(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == "0" then return redis.call("DEL", KEYS[1]) end
redis.call("SET", KEYS[1], ARGV[3], "PX", ARGV[2])
return 1`)

// Release ends the lease if it is still held.
func (l Lease) Release(ctx context.Context) error { return l.ReleaseAfter(ctx, 0) }

// ReleaseAfter ends the lease if it is still held, and prevents all processes from acquiring it for a while: a shared
// back-off.
func (l Lease) ReleaseAfter(ctx context.Context, wait time.Duration) error {
	return releaseScript.Run(ctx, l.Redis, []string{l.Key}, l.Token, wait.Milliseconds(), Blocked).Err()
}
