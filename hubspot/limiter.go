package hubspot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/setting"
)

// limit is the one budget of calls for all replicas, kept in Redis with Redis' clock, and the shared pause.
type sharedLimiter struct {
	deps  Deps
	keys  keys
	rate  atomic.Pointer[setting.Rate]
	lease atomic.Pointer[string] // the lease that calls are made under
}

func newSharedLimiter(deps Deps, k keys) *sharedLimiter { return &sharedLimiter{deps: deps, keys: k} }

func (l *sharedLimiter) set(rate setting.Rate) {
	if rate.Requests < 1 || rate.Per <= 0 {
		rate = DefaultConfig().RateLimit
	}
	l.rate.Store(&rate)
}

// takeScript grants a call when fewer than the limit were made in the window. A call counts until a window after its answer, not after
// its start: how long it was on the way cannot squeeze two windows together at HubSpot's end. A granted call that never reports its
// answer (a killed process) counts for the longest time that it may have taken. Whoever lost the lease gets nothing: a process that was
// stopped for a while must not write over what the next holder wrote. Returns the milliseconds to wait, 0 = granted, -1 = not the holder.
var acquireScript = redis.NewScript(`
if ARGV[5] ~= '' and redis.call('GET', KEYS[3]) ~= ARGV[5] then return -1 end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local pause = redis.call('PTTL', KEYS[2])
if pause > 0 then return pause end
local window = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - window))
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[4])
  redis.call('PEXPIRE', KEYS[1], window + tonumber(ARGV[3]) + 1000)
  return 0
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return math.max(1, math.min(1000, tonumber(oldest[2]) + window - now + 1))
`)

// doneScript also keeps what HubSpot says that is left, for all replicas; when nothing is, calls wait until some of it is back.
var doneScript = redis.NewScript(`
local t = redis.call('TIME')
redis.call('ZADD', KEYS[1], 'XX', t[1] * 1000 + math.floor(t[2] / 1000), ARGV[1])
if ARGV[2] == '' then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4])
if tonumber(ARGV[2]) == 0 and redis.call('PTTL', KEYS[3]) < tonumber(ARGV[3]) then
  redis.call('SET', KEYS[3], 'HubSpot has no call left in this window', 'PX', ARGV[3])
end
return 1
`)

// pauseScript lengthens the pause, never shortens it.
var pauseScript = redis.NewScript(`
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1
`)

const (
	longestCall   = 35 * time.Second
	longestWait   = 30 * time.Second // for a share of the budget; a longer pause is left to the worker
	hubspotWindow = 10 * time.Second
	leftTTL       = 24 * time.Hour // how long the number of calls left is shown
)

var (
	errPaused  = errors.New("calls to HubSpot are paused")
	errLimiter = errors.New("the budget of calls cannot be read from Redis")
)

// take waits for a share of the budget. It fails with errPaused when the pause is longer than it is sensible to wait in the middle of
// a batch.
func (l *sharedLimiter) acquire(ctx context.Context) (permit string, err error) {
	permit = rand.Text()
	for deadline := l.deps.Now().Add(longestWait); ; {
		wait, err := l.tryAcquire(ctx, permit)
		switch {
		case err != nil:
			return "", fmt.Errorf("%w: %w", errLimiter, err)
		case wait < 0:
			return "", errLeaseLost
		case wait == 0:
			return permit, nil
		case l.deps.Now().Add(wait).After(deadline):
			return "", errPaused
		}
		if !sleep(ctx, wait) {
			return "", ctx.Err()
		}
	}
}

func (l *sharedLimiter) tryAcquire(ctx context.Context, permit string) (time.Duration, error) {
	rate := l.rate.Load()
	lease := ""
	if held := l.lease.Load(); held != nil {
		lease = *held
	}
	ms, err := acquireScript.Run(ctx, l.deps.Queue, []string{l.keys.budget, l.keys.pause, l.keys.lease},
		rate.Requests, rate.Per.D().Milliseconds(), longestCall.Milliseconds(), permit, lease).Int64()
	return time.Duration(ms) * time.Millisecond, err
}

// done starts the window of a call, and notes what its answer says about HubSpot's own count. When Redis does not hear of it the call
// counts longer, never shorter.
func (l *sharedLimiter) done(permit string, answer http.Header) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	left, window := "", hubspotWindow
	if n, err := strconv.Atoi(answer.Get("X-HubSpot-RateLimit-Remaining")); err == nil && n >= 0 {
		left = strconv.Itoa(n)
	}
	if ms, err := strconv.Atoi(answer.Get("X-HubSpot-RateLimit-Interval-Milliseconds")); err == nil && ms > 0 {
		window = min(window, time.Duration(ms)*time.Millisecond)
	}
	_ = doneScript.Run(ctx, l.deps.Queue, []string{l.keys.budget, l.keys.left, l.keys.pause},
		permit, left, window.Milliseconds(), leftTTL.Milliseconds()).Err()
}

// release gives back a share of the budget out of which no call was made. When Redis does not hear of it there is a call less.
func (l *sharedLimiter) release(permit string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.deps.Queue.ZRem(ctx, l.keys.budget, permit).Err()
}

// left is how many calls HubSpot last said that there are; before it said anything, the budget.
func (l *sharedLimiter) left(ctx context.Context) (int, error) {
	n, err := l.deps.Queue.Get(ctx, l.keys.left).Int()
	if errors.Is(err, redis.Nil) {
		return l.rate.Load().Requests, nil
	}
	return n, err
}

// pause stops the calls of all replicas for a time.
func (l *sharedLimiter) pause(ctx context.Context, reason string, d time.Duration) error {
	return pauseScript.Run(ctx, l.deps.Queue, []string{l.keys.pause}, reason, d.Milliseconds()).Err()
}

// resume ends a pause, when what it was for is over.
func (l *sharedLimiter) resume(ctx context.Context) error {
	return l.deps.Queue.Del(ctx, l.keys.pause).Err()
}

// paused tells for how long the calls are still paused.
func (l *sharedLimiter) paused(ctx context.Context) (time.Duration, error) {
	d, err := l.deps.Queue.PTTL(ctx, l.keys.pause).Result()
	return max(0, d), err
}

// sleep waits unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// policyPause is how long a 429 pauses everything.
func policyPause(e *apiError) time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	switch e.Policy {
	case policyDaily:
		return dailyPause
	case policySecondly:
		return 2 * time.Second
	}
	return 10 * time.Second
}

// dailyPause is how often a used-up day is tried again: HubSpot's day ends at midnight of the account's time zone, which a key
// need not be allowed to read.
const dailyPause = 10 * time.Minute
