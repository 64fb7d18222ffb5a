package session

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/broadcast"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/redisread"
	"github.com/hubgate/hubgate/internal/seal"
)

// Deps are the dependencies of a Manager.
type Deps struct {
	Redis   redis.UniversalClient // for requests: short timeouts, a circuit breaker
	Block   redis.UniversalClient // for the subscription
	Ring    *seal.Ring
	Log     *slog.Logger
	Audit   *slog.Logger // gets one line for each session that ends; nil = none
	Metrics *Metrics
	Now     func() time.Time
	// Store returns the state of Redis. While Redis is down, no request waits for it. nil = it is never known to be down.
	Store func() redisclient.State
	// Revoke revokes, best effort, a refresh token that was issued for a session which had ended meanwhile.
	Revoke func(ctx context.Context, refreshToken string)
}

// Settings are what a reload can change.
type Settings struct {
	Config       Config
	Issuer       string // sessions of another issuer or client are not accepted
	ClientID     string
	RefreshGrace time.Duration // how long a session stays valid after its access token while the provider does not respond
	Refresh      RefreshFunc
}

// Manager starts, loads and ends sessions. It lives as long as the process; Set changes its settings. It is safe for
// concurrent use.
type Manager struct {
	deps         Deps
	settings     *atomic.Pointer[Settings]
	cookies      cookies
	store        *store
	cache        *cache
	clock        *idleClock
	retries      *retryQueue
	ender        *ender
	refresher    *refresher
	subscription *broadcast.Subscription
	watchers     *broadcast.Watchers
	monitor      *monitor
}

// New returns a Manager. It does not connect to Redis yet. Call Set before it is used.
func New(cfg Config, deps Deps) (*Manager, error) {
	if deps.Redis == nil || deps.Ring == nil || deps.Metrics == nil || deps.Now == nil {
		return nil, errors.New("session: New needs Redis, Ring, Metrics and Now")
	}
	if deps.Store == nil {
		deps.Store = func() redisclient.State { return redisclient.State{} }
	}
	if deps.Audit == nil {
		deps.Audit = slog.New(slog.DiscardHandler)
	}
	if deps.Revoke == nil {
		deps.Revoke = func(context.Context, string) {}
	}
	settings := &atomic.Pointer[Settings]{}
	settings.Store(&Settings{Config: cfg})
	sessions, err := newSessions(settings)
	if err != nil {
		return nil, fmt.Errorf("session: cache: %w", err)
	}
	m := &Manager{deps: deps, settings: settings, cookies: cookies{deps.Ring, settings}}
	m.retries, m.watchers = newRetryQueue(deps.Log), broadcast.NewWatchers()
	m.store = &store{
		rdb: deps.Redis, reads: &redisread.Batcher{Redis: deps.Redis, Max: maxStored, Timeout: storeTime},
		keys: keyspace{cfg.Redis.KeyPrefix, deps.Ring},
		ring: deps.Ring, metrics: deps.Metrics, log: deps.Log, now: deps.Now,
	}
	m.clock = &idleClock{
		store: m.store, retries: m.retries, settings: settings, seed: maphash.MakeSeed(), now: deps.Now,
	}
	m.cache = &cache{
		sessions: sessions, tombstones: newTombstones(), epoch: &connectionEpoch{}, store: m.store, clock: m.clock,
		watchers: m.watchers, settings: settings, state: deps.Store, seed: maphash.MakeSeed(), now: deps.Now,
	}
	m.ender = &ender{
		store: m.store, cache: m.cache, retries: m.retries, metrics: deps.Metrics, audit: deps.Audit, now: deps.Now,
	}
	m.refresher = &refresher{
		store: m.store, cache: m.cache, ender: m.ender, retries: m.retries, settings: settings, revoke: deps.Revoke,
		log: deps.Log, now: deps.Now,
	}
	m.subscription = &broadcast.Subscription{
		Redis: deps.Block, Channel: m.store.keys.channel(), OnUp: m.onUp, OnDown: m.cache.epoch.down,
		OnMessage: m.cache.onEvent, Effect: "every request asks redis until it is back", Log: deps.Log, Now: deps.Now,
	}
	m.monitor = &monitor{
		rdb: deps.Redis, state: deps.Store, downSince: m.subscription.DownSince, log: deps.Log, began: deps.Now(),
		redisUp: make(chan struct{}, 1),
	}
	return m, nil
}

// onUp handles that the subscription is up: ends may have been missed before, and Redis may be another server.
func (m *Manager) onUp() {
	m.cache.epoch.up()
	m.ender.endAgain()
	m.monitor.examineAgain()
	m.watchers.Resume()
}

// Set replaces the settings. Shorter lifetimes apply to live sessions at once.
func (m *Manager) Set(s Settings) { m.settings.Store(&s) }

// Run keeps the subscription up and retries what Redis did not accept, until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, loop := range []func(context.Context){
		m.subscription.Loop, m.retries.loop, m.monitor.loop, m.watchers.Loop, m.countLive,
	} {
		part := func(ctx context.Context) error { loop(ctx); return nil }
		group.Go(func() error { return background.Keep(ctx, m.deps.Log, "session", part) })
	}
	return group.Wait()
}

// Start starts a session for a visitor who has just logged in, always under a new id: an id known before the login
// must be worthless after it (session fixation, CWE-384). An older session of this browser ends.
func (m *Manager) Start(w http.ResponseWriter, r *http.Request, s Session) (*Session, error) {
	facts, now := inbound.Of(r), m.deps.Now()
	if facts.Site == nil {
		return nil, errors.New("session: start: the request has no public host")
	}
	t := newTicket()
	s.Ref, s.CreatedAt, s.LastSeenAt, s.refreshedAt = t.ref(), now, now, now
	s.ExpiresAt = now.Add(m.settings.Load().Config.Lifetime.D())
	s.Host, s.Address = facts.Site.Host, facts.Client.String()
	ctx, cancel := detached(r.Context())
	defer cancel()
	if err := m.store.create(ctx, t, &s); errors.Is(err, ErrTooLarge) {
		return nil, err // Redis was not asked
	} else if err != nil {
		return nil, fmt.Errorf("session: start: %w", err)
	}
	if older, err := m.cookies.ticket(r); err == nil {
		_ = m.ender.endAndRetry(ctx, ending{ref: older.ref(), reason: "logout"})
	}
	m.deps.Metrics.started.Inc()
	m.cookies.set(w, r, t.encode(m.deps.Ring), s.ExpiresAt.Sub(now))
	return &s, nil
}

// OwnsCookie reports whether a cookie of this name is the session cookie.
func (m *Manager) OwnsCookie(name string) bool { return m.cookies.owns(name) }

// Ended returns a channel that is closed when the session ends or changes, and a function that releases it.
func (m *Manager) Ended(ref string) (<-chan struct{}, func()) { return m.watchers.Add(ref) }

// minRecheck limits the load of open connections on Redis if cache_ttl is none.
const minRecheck = 5 * time.Second

// Recheck returns how often an open connection checks its session without having been notified. It trusts what was
// read no longer than a request does.
func (m *Manager) Recheck() time.Duration {
	return max(m.settings.Load().Config.CacheTTL.D(), minRecheck)
}

// Confirmed reports whether Redis confirmed a session within outage_grace.
func (m *Manager) Confirmed(ref string) bool { return m.cache.confirmed(ref) }

// Health returns the state of Redis as it affects sessions.
func (m *Manager) Health() (ok bool, detail string, since time.Time) { return m.monitor.health() }

// PublishCure returns "" if this replica can notify the others that a session ended. Otherwise it returns the command
// that grants the Redis user the permission to publish.
func (m *Manager) PublishCure() string {
	if !m.store.publishDenied.Load() {
		return ""
	}
	return m.store.publishCure()
}

// KeysInUse returns for each key id of the ring when the last session that it sealed ends. Removing the key earlier
// logs those visitors out.
func (m *Manager) KeysInUse(ctx context.Context) (map[string]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	return m.store.keysInUse(ctx)
}
