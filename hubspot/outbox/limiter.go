package outbox

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

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/setting"
)

// Limiter is the rate limit and the pause of all replicas, kept in Redis with Redis' clock.
type Limiter struct {
	deps  Deps
	keys  keys
	rate  atomic.Pointer[setting.Rate]
	lease atomic.Pointer[string] // the lease that calls require
}

// NewLimiter returns the limiter in the Redis of an outbox. Set must be called before its first use.
func NewLimiter(o *Outbox) *Limiter { return &Limiter{deps: o.deps, keys: o.keys} }

// Set applies a rate, which must have at least one call in a positive time.
func (l *Limiter) Set(rate setting.Rate) { l.rate.Store(&rate) }

// RequireLease makes calls fail with ErrLeaseLost once the lease is lost.
func (l *Limiter) RequireLease(lease Leased) { l.lease.Store(&lease.token) }

// acquireScript grants a call if fewer than the limit were made in the window. A call counts until one window after its
// response, not after its start: HubSpot counts it when it arrives, which may be any time in between. A call whose
// response is never reported (killed process) counts for the longest time that it may have taken. Without the lease
// nothing is granted: a process that was stopped for a while must not overwrite what the next holder wrote. Returns the
// milliseconds to wait, 0 = granted, -1 = lease lost.
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

// doneScript ends a call and saves the remaining calls that HubSpot reported, for all replicas. If none remain, calls
// pause for the window.
var doneScript = redis.NewScript(`
local t = redis.call('TIME')
redis.call('ZADD', KEYS[1], 'XX', t[1] * 1000 + math.floor(t[2] / 1000), ARGV[1])
if ARGV[2] == '' then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4])
if tonumber(ARGV[2]) == 0 and redis.call('PTTL', KEYS[3]) < tonumber(ARGV[3]) then
  redis.call('SET', KEYS[3], 'HubSpot reports no calls left; it continues with the next window', 'PX', ARGV[3])
end
return 1
`)

// pauseScript extends the pause, never shortens it.
var pauseScript = redis.NewScript(`
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1
`)

const (
	longestCall   = 35 * time.Second
	longestWait   = 30 * time.Second // for a permit; the worker handles longer pauses
	hubspotWindow = 10 * time.Second
	leftTTL       = 24 * time.Hour // how long the number of remaining calls is shown
)

var (
	// ErrPaused means that all calls are paused.
	ErrPaused  = errors.New("calls to HubSpot are paused")
	errLimiter = errors.New("cannot read the rate limit from Redis")
)

// Acquire waits for a permit. It fails with ErrPaused if calls are paused for longer than longestWait.
func (l *Limiter) Acquire(ctx context.Context) (permit string, err error) {
	permit = rand.Text()
	for deadline := l.deps.Now().Add(longestWait); ; {
		wait, err := l.tryAcquire(ctx, permit)
		switch {
		case err != nil:
			return "", fmt.Errorf("%w: %w", errLimiter, err)
		case wait < 0:
			return "", ErrLeaseLost
		case wait == 0:
			return permit, nil
		case l.deps.Now().Add(wait).After(deadline):
			return "", ErrPaused
		}
		if !background.Sleep(ctx, wait) {
			return "", ctx.Err()
		}
	}
}

func (l *Limiter) tryAcquire(ctx context.Context, permit string) (time.Duration, error) {
	rate := l.rate.Load()
	lease := ""
	if held := l.lease.Load(); held != nil {
		lease = *held
	}
	ms, err := acquireScript.Run(ctx, l.deps.Queue, []string{l.keys.budget, l.keys.pause, l.keys.lease},
		rate.Requests, rate.Per.D().Milliseconds(), longestCall.Milliseconds(), permit, lease).Int64()
	return time.Duration(ms) * time.Millisecond, err
}

// Done reports a response and saves the remaining calls that HubSpot reported. If Redis does not get the report, the
// call counts longer, never shorter.
func (l *Limiter) Done(permit string, response http.Header) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	left, window := "", hubspotWindow
	if n, err := strconv.Atoi(response.Get("X-HubSpot-RateLimit-Remaining")); err == nil && n >= 0 {
		left = strconv.Itoa(n)
	}
	if ms, err := strconv.Atoi(response.Get("X-HubSpot-RateLimit-Interval-Milliseconds")); err == nil && ms > 0 {
		window = min(window, time.Duration(ms)*time.Millisecond)
	}
	_ = doneScript.Run(ctx, l.deps.Queue, []string{l.keys.budget, l.keys.left, l.keys.pause},
		permit, left, window.Milliseconds(), leftTTL.Milliseconds()).Err()
}

// Left returns how many calls HubSpot last reported as remaining, or the configured limit before the first response.
func (l *Limiter) Left(ctx context.Context) (int, error) {
	n, err := l.deps.Queue.Get(ctx, l.keys.left).Int()
	if errors.Is(err, redis.Nil) {
		return l.rate.Load().Requests, nil
	}
	return n, err
}

// Pause pauses the calls of all replicas. The reason, with its cure, is kept for operators.
func (l *Limiter) Pause(ctx context.Context, reason string, d time.Duration) error {
	return pauseScript.Run(ctx, l.deps.Queue, []string{l.keys.pause}, reason, d.Milliseconds()).Err()
}

// Resume ends the pause.
func (l *Limiter) Resume(ctx context.Context) error {
	return l.deps.Queue.Del(ctx, l.keys.pause).Err()
}

// Paused returns how long calls are still paused.
func (l *Limiter) Paused(ctx context.Context) (time.Duration, error) {
	d, err := l.deps.Queue.PTTL(ctx, l.keys.pause).Result()
	return max(0, d), err
}
