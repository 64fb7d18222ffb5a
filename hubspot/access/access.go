package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/broadcast"
	"github.com/hubgate/hubgate/internal/redisread"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// Deps are the dependencies of an Access. All but Block, Pause and Log are required.
type Deps struct {
	Redis     redis.UniversalClient
	Block     redis.UniversalClient // the subscription
	KeyPrefix string
	Ring      *seal.Ring
	Urgent    Reader        // reads people for whom a visitor waits
	Spare     Reader        // reads the others, within what the limit leaves
	Token     func() string // HubSpot's access token; its account is the one to which the ids of lists belong
	HubID     func() int64  // as configured
	// Rate is the limit of calls of all replicas. Reads keep below it.
	Rate func() setting.Rate
	// Pause pauses the calls of all replicas to HubSpot after a 429.
	Pause   func(ctx context.Context, reason string, d time.Duration) error
	Log     *slog.Logger
	Metrics *Metrics
	Now     func() time.Time
}

// Access knows what HubSpot says about visitors. It lives as long as the process.
type Access struct {
	deps         Deps
	live         atomic.Pointer[live]
	cache        *cache
	store        *store
	portal       *portal
	queue        *queue
	outage       *outage
	watchers     *broadcast.Watchers
	subscription *broadcast.Subscription
	turn         chan struct{} // held by the reader that gathers visitors who wait
	redisFailed  atomic.Int64  // when a visitor's read of Redis last failed, in Unix nanoseconds
}

// live is the part that a reload replaces.
type live struct {
	on   bool
	need need
}

// New returns an Access. It makes no network calls.
func New(cfg Config, deps Deps) (*Access, error) {
	if deps.Redis == nil || deps.Ring == nil || deps.Urgent == nil || deps.Spare == nil || deps.Token == nil ||
		deps.HubID == nil || deps.Rate == nil || deps.Metrics == nil || deps.Now == nil {
		return nil, errors.New("hubspot: access needs Redis, Ring, Urgent, Spare, Token, HubID, Rate, Metrics and Now")
	}
	if deps.Block == nil {
		deps.Block = deps.Redis
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Pause == nil {
		deps.Pause = func(context.Context, string, time.Duration) error { return nil }
	}
	known, err := newCache()
	if err != nil {
		return nil, fmt.Errorf("hubspot: cache of access: %w", err)
	}
	a := &Access{deps: deps, cache: known, queue: newQueue(deps.Now), turn: make(chan struct{}, 1)}
	a.watchers = broadcast.NewWatchers()
	a.outage = newOutage(deps.Log, deps.Now, a.queue.clear)
	a.store = &store{
		rdb: deps.Redis, reads: &redisread.Batcher{Redis: deps.Redis, Max: maxStored, Timeout: storeTime},
		prefix: deps.KeyPrefix, ring: deps.Ring, now: deps.Now,
	}
	a.portal = &portal{
		token: deps.Token, hubID: deps.HubID, store: a.store, log: deps.Log, onChange: a.watchers.Resume,
	}
	a.subscription = &broadcast.Subscription{
		Redis: deps.Block, Channel: a.store.channel(), OnUp: a.onUp, OnDown: func() {}, OnMessage: a.onMessage,
		Effect: "changes in HubSpot are noticed only when what is known is old", Log: deps.Log, Now: deps.Now,
	}
	a.Set(cfg)
	return a, nil
}

// Set applies a reloaded configuration. What was not asked for before is unknown until it is read. Without lists and
// properties the copies in memory are dropped: an erasure need not reach them.
func (a *Access) Set(cfg Config) {
	a.live.Store(&live{on: cfg.On(), need: newNeed(cfg)})
	if !cfg.On() {
		a.cache.people.InvalidateAll()
	}
}

// Health reports whether HubSpot answers no calls about visitors, why, and since when. It makes no calls.
func (a *Access) Health() (detail string, since time.Time, wrong bool) {
	a.outage.mu.Lock()
	defer a.outage.mu.Unlock()
	if cause := a.outage.cause; cause != nil && a.live.Load().on {
		return cause.Error() + "; " + cureOf(cause), a.outage.since, true
	}
	return "", time.Time{}, false
}

// Retry ends a wait for the next probe of an outage, because the token may be a new one.
func (a *Access) Retry() { signal(a.outage.retry) }

// Watch returns a channel that is closed when what is known about the session's person changes, and a function that
// ends the watch.
func (a *Access) Watch(s *session.Session) (<-chan struct{}, func()) {
	p, ok := personOf(a.deps.Ring, s)
	if !ok {
		return nil, func() {}
	}
	return a.watchers.Add(p.name())
}
