package ratelimit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/lease"
	"github.com/hubgate/hubgate/internal/setting"
)

// Limiter grants the calls of one class.
type Limiter struct {
	limits *Limits
	others func() int // how many calls that no visitor waits for the window may have; nil = a visitor waits
	sync   bool       // contact sync's pause and lease apply
}

// longestWait bounds the wait for a permit; callers handle longer pauses.
const longestWait = 30 * time.Second

var (
	// ErrPaused means that calls are paused.
	ErrPaused  = errors.New("calls to HubSpot are paused")
	errLimiter = errors.New("cannot read the rate limit from Redis")
)

// IsRedisError reports whether Redis is the cause of a failed call, not HubSpot.
func IsRedisError(err error) bool { return errors.Is(err, lease.ErrLost) || errors.Is(err, errLimiter) }

// Rate returns the limit of the calls of all classes together.
func (l *Limiter) Rate() setting.Rate { return *l.limits.rate.Load() }

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
		permit, token, others).Int64()
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
