package ratelimit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/lease"
)

// Limiter grants the calls of one class.
type Limiter struct {
	limits *Limits
	others func() int // how many calls that no visitor waits for the window may have; nil = a visitor waits
	sync   bool       // contact sync's pause and lease apply
}

// acquireScript grants a call if fewer than the limit were made in the window, and, unless a visitor waits for it, if
// fewer of its kind were made than their part. A call counts until one window after its
// response, not after its start: HubSpot counts it when it arrives, which may be any time in between. A call whose
// response is never reported (killed process) counts for the longest time that it may have taken. Without the lease
// nothing is granted: a process that was stopped for a while must not overwrite what the next holder wrote. Returns the
// milliseconds to wait, 0 = granted, -1 = lease lost. KEYS: the calls, those that no visitor waits for, the pause of
// all, and for contact sync its own pause and the lease. ARGV: limit, window, longest call, permit, token of the lease,
// the limit of calls that no visitor waits for, empty for a call that one waits for.
var acquireScript = redis.NewScript(`
if KEYS[5] and redis.call('GET', KEYS[5]) ~= ARGV[5] then return -1 end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local pause = redis.call('PTTL', KEYS[3])
if KEYS[4] then pause = math.max(pause, redis.call('PTTL', KEYS[4])) end
if pause > 0 then return pause end
local window, longest = tonumber(ARGV[2]), tonumber(ARGV[3])
local function wait(calls, limit)
  redis.call('ZREMRANGEBYSCORE', calls, '-inf', '(' .. (now - window))
  local over = redis.call('ZCARD', calls) - tonumber(limit)
  if over < 0 then return 0 end
  local last = redis.call('ZRANGE', calls, over, over, 'WITHSCORES')
  return math.max(1, math.min(1000, tonumber(last[2]) + window - now + 1))
end
local function count(calls)
  redis.call('ZADD', calls, now + longest, ARGV[4])
  redis.call('PEXPIRE', calls, window + longest + 1000)
end
local ms = wait(KEYS[1], ARGV[1])
if ARGV[6] ~= '' then ms = math.max(ms, wait(KEYS[2], ARGV[6])) end
if ms > 0 then return ms end
count(KEYS[1])
if ARGV[6] ~= '' then count(KEYS[2]) end
return 0
`)

// doneScript ends a call and saves the remaining calls that HubSpot reported, for all replicas. If none remain, calls
// pause for the window.
var doneScript = redis.NewScript(`
local t = redis.call('TIME')
for i = 1, 2 do redis.call('ZADD', KEYS[i], 'XX', t[1] * 1000 + math.floor(t[2] / 1000), ARGV[1]) end
if ARGV[2] == '' then return 0 end
redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[4])
if tonumber(ARGV[2]) == 0 and redis.call('PTTL', KEYS[4]) < tonumber(ARGV[3]) then
  redis.call('SET', KEYS[4], 'HubSpot reports no calls left; it continues with the next window', 'PX', ARGV[3])
end
return 1
`)

const (
	longestCall   = 35 * time.Second
	longestWait   = 30 * time.Second // for a permit; callers handle longer pauses
	hubspotWindow = 10 * time.Second
)

var (
	// ErrPaused means that calls are paused.
	ErrPaused  = errors.New("calls to HubSpot are paused")
	errLimiter = errors.New("cannot read the rate limit from Redis")
)

// IsRedisError reports whether Redis is the cause of a failed call, not HubSpot.
func IsRedisError(err error) bool { return errors.Is(err, lease.ErrLost) || errors.Is(err, errLimiter) }

// Acquire waits for a permit. It fails with ErrPaused if calls are paused for longer than longestWait.
func (l *Limiter) Acquire(ctx context.Context) (permit string, err error) {
	permit = rand.Text()
	now := l.limits.deps.Now
	for deadline := now().Add(longestWait); ; {
		wait, err := l.tryAcquire(ctx, permit)
		switch {
		case err != nil:
			return "", fmt.Errorf("%w: %w", errLimiter, err)
		case wait < 0:
			return "", lease.ErrLost
		case wait == 0:
			return permit, nil
		case now().Add(wait).After(deadline):
			return "", ErrPaused
		}
		if !background.Sleep(ctx, wait) {
			return "", ctx.Err()
		}
	}
}

func (l *Limiter) tryAcquire(ctx context.Context, permit string) (time.Duration, error) {
	k, rate, token, others := l.limits.keys, l.limits.rate.Load(), "", ""
	names := []string{k.budget, k.others, k.pause}
	if l.sync {
		names = append(names, k.pauseSync)
		if held := l.limits.lease.Load(); held != nil {
			names, token = append(names, held.Key), held.Token
		}
	}
	if l.others != nil {
		others = strconv.Itoa(l.others())
	}
	ms, err := acquireScript.Run(ctx, l.limits.deps.Redis, names, rate.Requests, rate.Per.D().Milliseconds(),
		longestCall.Milliseconds(), permit, token, others).Int64()
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
	k := l.limits.keys
	_ = doneScript.Run(ctx, l.limits.deps.Redis, []string{k.budget, k.others, k.left, k.pause},
		permit, left, window.Milliseconds(), leftTTL.Milliseconds()).Err()
}

// Pause pauses the calls of all classes, because HubSpot's limit is reached: see Limits.PauseAll.
func (l *Limiter) Pause(ctx context.Context, reason string, d time.Duration) error {
	return l.limits.PauseAll(ctx, reason, d)
}
