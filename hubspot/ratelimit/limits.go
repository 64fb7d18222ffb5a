package ratelimit

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/lease"
	"github.com/hubgate/hubgate/internal/redisread"
	"github.com/hubgate/hubgate/internal/setting"
)

// keys are the Redis keys of the limit. They share the hash tag of the outbox, whose lease acquireScript reads.
type keys struct {
	budget    string // the calls that count now
	others    string // those of them that no visitor waits for
	left      string // how many calls HubSpot last reported as remaining
	pause     string // why no calls are made
	pauseSync string // why contact sync makes no calls
}

func newKeys(prefix string) keys {
	p := prefix + "{crm}:"
	return keys{
		budget: p + "budget", others: p + "budget-others", left: p + "left", pause: p + "pause", pauseSync: p + "pause-sync",
	}
}

// Limits are the rate limit and the pauses of all replicas.
type Limits struct {
	// Visitors grants the calls that a visitor waits for. They may use the whole limit, but do not go before the others:
	// visitors who make hubgate ask all the time cannot stop contact sync.
	Visitors *Limiter
	// Spare grants calls that can wait. Together with those of Sync, they leave a part of each window to Visitors.
	Spare *Limiter
	// Sync grants the calls of contact sync. They may use the whole limit, unless Reserve leaves a part to Visitors.
	Sync *Limiter

	deps    Deps
	keys    keys
	rate    atomic.Pointer[setting.Rate]
	reserve atomic.Bool
	lease   atomic.Pointer[lease.Lease] // which calls of Sync require; nil = none
}

// Deps are the dependencies of Limits. All are required.
type Deps struct {
	Redis     redis.UniversalClient
	KeyPrefix string
	Now       func() time.Time
}

// New returns Limits. Set must be called before their first use.
func New(deps Deps) *Limits {
	l := &Limits{deps: deps, keys: newKeys(deps.KeyPrefix)}
	l.Visitors = &Limiter{limits: l}
	l.Spare = &Limiter{limits: l, others: l.spare}
	l.Sync = &Limiter{limits: l, others: l.sync, sync: true}
	return l
}

// Set applies a rate, which must have at least one call in a positive time.
func (l *Limits) Set(rate setting.Rate) { l.rate.Store(&rate) }

// RequireLease makes calls of Sync fail with lease.ErrLost once the lease is lost. Its key must have the limit's hash
// tag.
func (l *Limits) RequireLease(held lease.Lease) { l.lease.Store(&held) }

// Reserve sets whether Sync leaves a part of each window to Visitors.
func (l *Limits) Reserve(on bool) { l.reserve.Store(on) }

const (
	sparePercent = 80
	leftTTL      = 24 * time.Hour // how long the number of remaining calls is shown
	maxLeft      = 20             // bytes of that number
)

// spare returns how many calls of a window may be made that no visitor waits for.
func (l *Limits) spare() int { return max(1, l.rate.Load().Requests*sparePercent/100) }

// sync returns how many calls of a window may be made that no visitor waits for, if Sync makes the last of them.
func (l *Limits) sync() int {
	if l.reserve.Load() {
		return l.spare()
	}
	return l.rate.Load().Requests
}

// Left returns how many calls HubSpot last reported as remaining, or the configured limit before the first response.
func (l *Limits) Left(ctx context.Context) (int, error) {
	text, err := redisread.Text(redisread.Request(ctx, l.deps.Redis, l.keys.left, maxLeft), nil)
	if err != nil {
		return 0, err
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return n, nil
	}
	return l.rate.Load().Requests, nil
}

// PauseAll pauses the calls of all classes, in all replicas, because HubSpot's limit is reached. The reason, with its
// cure, is kept for operators.
func (l *Limits) PauseAll(ctx context.Context, reason string, d time.Duration) error {
	return pauseScript.Run(ctx, l.deps.Redis, []string{l.keys.pause}, reason, d.Milliseconds()).Err()
}

// PauseSync pauses the calls of Sync, in all replicas. What contact sync meets, such as a scope that only it needs, is
// not about the other classes.
func (l *Limits) PauseSync(ctx context.Context, reason string, d time.Duration) error {
	return pauseScript.Run(ctx, l.deps.Redis, []string{l.keys.pauseSync}, reason, d.Milliseconds()).Err()
}

// ResumeSync ends what PauseSync began. A pause of all classes stays.
func (l *Limits) ResumeSync(ctx context.Context) error {
	return l.deps.Redis.Del(ctx, l.keys.pauseSync).Err()
}

// Paused returns why contact sync makes no calls, and for how long: 0 = it is not paused. If both pauses apply, it is
// the longer one.
func (l *Limits) Paused(ctx context.Context) (reason string, longest time.Duration, err error) {
	found, err := pausedScript.Run(ctx, l.deps.Redis, []string{l.keys.pause, l.keys.pauseSync}).Slice()
	if err != nil {
		return "", 0, err
	}
	for pair := range slices.Chunk(found, 2) {
		ms, _ := pair[0].(int64)
		if d := time.Duration(ms) * time.Millisecond; d > longest {
			reason, _ = pair[1].(string)
			longest = d
		}
	}
	return reason, longest, nil
}
