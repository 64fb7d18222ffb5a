package session

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
)

// lease is the right to refresh one session, held by one replica at a time.
type lease struct {
	m          *Manager
	key, token string
}

// take returns false when somebody else has it. A repeat after a lost answer finds its own token.
func (l lease) take(ctx context.Context) (bool, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	won, err := l.m.deps.Redis.SetNX(ctx, l.key, l.token, leaseTime).Result()
	if err != nil {
		return false, err
	}
	if won {
		return true, nil
	}
	holder, err := l.holder(ctx)
	return holder == l.token, err
}

// holder is the token of who has it, or "".
func (l lease) holder(ctx context.Context) (string, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	answer := getBounded(ctx, l.m.deps.Redis, l.key)
	if isWrongType(answer.Err()) { // not a free lease: nobody could take it
		return "", answer.Err()
	}
	return textOf(answer, nil)
}

var renewScript = redis.NewScript(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("PEXPIRE", KEYS[1], ARGV[2])`)

// keep renews the lease until stop is called. One that is lost costs a second refresh at most: the record is written by version.
func (l lease) keep(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() { _ = background.Catch(func() { l.renewUntil(ctx) }) }() // without it the lease ends by itself
	return cancel
}

func (l lease) renewUntil(ctx context.Context) {
	tick := time.NewTicker(leaseTime / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = l.renew(ctx) // retried at the next tick
		}
	}
}

func (l lease) renew(ctx context.Context) error {
	return renewScript.Run(ctx, l.m.deps.Redis, []string{l.key}, l.token, leaseTime.Milliseconds()).Err()
}

// releaseScript ends the lease if it is still ours, or turns it into a back-off.
var releaseScript = redis.NewScript(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == "0" then return redis.call("DEL", KEYS[1]) end
redis.call("SET", KEYS[1], "wait", "PX", ARGV[2])
return 1`)

func (l lease) release(ctx context.Context, wait time.Duration) {
	ctx, cancel := detached(ctx)
	defer cancel()
	_ = releaseScript.Run(ctx, l.m.deps.Redis, []string{l.key}, l.token, wait.Milliseconds()).Err() // it ends by itself
}
