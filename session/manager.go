package session

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/seal"
)

// Deps is what a Manager works with.
type Deps struct {
	Redis   redis.UniversalClient // the request path's: short time-outs, a breaker
	Block   redis.UniversalClient // for the subscription
	Ring    *seal.Ring
	Refresh RefreshFunc
	Log     *slog.Logger
	Audit   *slog.Logger // is told each session's end
	Metrics *Metrics
	Now     func() time.Time
	// Store returns the state of Redis. While it is down no request waits for it. nil = it is never known to be down.
	Store func() redisclient.State
	// Revoke gives back, best effort, a refresh token that was won for a session which had ended meanwhile.
	Revoke func(ctx context.Context, refreshToken string)
}

// Settings are the settings that a reload changes.
type Settings struct {
	Config       Config
	Issuer       string // sessions of another provider or client are no sessions
	ClientID     string
	RefreshGrace time.Duration // how long a session passes after its access token ended while the provider gives no answer
	Refresh      RefreshFunc
}

// Manager starts, loads and ends sessions. It lives as long as the process; Set changes its settings. It is safe for concurrent use.
type Manager struct {
	deps   Deps
	store  *store
	live   atomic.Pointer[Settings]
	cache  *otter.Cache[string, *cached]
	seed   maphash.Seed // of the prints of stored records
	over   *tombstones
	watch  *watchers
	flight singleflight.Group
	// epoch counts interruptions of the subscription: what was cached in an earlier one counts as unconfirmed, for an ending may
	// have been missed. Odd while interrupted.
	epoch       atomic.Int64
	chores      chan chore
	settleEvery time.Duration             // what was put off is tried again
	won         sync.Map                  // ref -> *renewal: refreshed sessions that Redis has not taken yet
	inVain      atomic.Pointer[time.Time] // when Redis was last waited for in vain

	began   time.Time
	deaf    atomic.Pointer[interruption] // while the subscription is interrupted
	found   atomic.Pointer[Examination]
	arrived chan struct{} // Redis is there, or there again
	resumed chan struct{} // the subscription stands, or stands again
}

const (
	maxCached = 100_000
	maxChores = 10_000
)

// New makes a Manager; it asks Redis nothing yet.
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
	m := &Manager{deps: deps, over: newTombstones(), watch: newWatchers(), seed: maphash.MakeSeed(),
		store: &store{
			rdb: deps.Redis, reads: &readBatcher{rdb: deps.Redis}, ring: deps.Ring, metrics: deps.Metrics,
			keys: keyspace{cfg.Redis.KeyPrefix, deps.Ring}, log: deps.Log, now: deps.Now,
		},
		chores: make(chan chore, maxChores), settleEvery: time.Second, began: deps.Now(),
		arrived: make(chan struct{}, 1), resumed: make(chan struct{}, 1)}
	m.epoch.Store(1) // not subscribed yet
	m.live.Store(&Settings{Config: cfg, Refresh: deps.Refresh})
	var err error
	m.cache, err = otter.New(&otter.Options[string, *cached]{
		MaximumSize: maxCached, ExpiryCalculator: otter.ExpiryWritingFunc(m.kept),
	})
	if err != nil {
		return nil, fmt.Errorf("session: cache: %w", err)
	}
	return m, nil
}

// kept is how long the cache holds a session: as long as it might pass.
func (m *Manager) kept(otter.Entry[string, *cached]) time.Duration {
	return max(time.Hour, m.live.Load().Config.OutageGrace.D())
}

// PublishDenied reports whether Redis refuses to let this replica tell the others that a session ended.
func (m *Manager) PublishDenied() bool { return m.store.publishDenied.Load() }

// PublishCure returns the command that gives the Redis user the permission to publish.
func (m *Manager) PublishCure() string { return m.store.publishCure() }

// KeysInUse returns for each key id of the ring when the last session that it sealed ends. Removing the key earlier
// logs those visitors out.
func (m *Manager) KeysInUse(ctx context.Context) (map[string]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	return m.store.keysInUse(ctx)
}

// Set replaces the settings. Shorter lifetimes apply to live sessions at once.
func (m *Manager) Set(l Settings) { m.live.Store(&l) }

// Start begins a session for whoever has just logged in: always under a new id, so that an id known before the login is worth nothing
// after it (session fixation, CK-01). An older session of this browser ends.
func (m *Manager) Start(w http.ResponseWriter, r *http.Request, s Session) (*Session, error) {
	live, facts, now := m.live.Load(), inbound.Of(r), m.deps.Now()
	if facts.Site == nil {
		return nil, errors.New("session: start: the request is for no public host")
	}
	t := newTicket()
	s.Ref, s.CreatedAt, s.LastSeenAt, s.refreshedAt = t.ref(), now, now, now
	s.ExpiresAt, s.Host, s.Address = now.Add(live.Config.Lifetime.D()), facts.Site.Host, facts.Client.String()
	ctx, cancel := detached(r.Context())
	defer cancel()
	if err := m.store.create(ctx, t, &s); errors.Is(err, ErrTooLarge) {
		return nil, err // Redis was not asked
	} else if err != nil {
		return nil, fmt.Errorf("session: start: %w", err)
	}
	if older, err := m.ticketOf(r); err == nil {
		m.end(ctx, ending{ref: older.ref(), reason: "logout"})
	}
	m.deps.Metrics.started.Inc()
	m.setCookie(w, r, t.encode(m.deps.Ring), s.ExpiresAt.Sub(now))
	return &s, nil
}

// ticketOf reads the request's cookie: there is exactly one and it is ours.
func (m *Manager) ticketOf(r *http.Request) (ticket, error) {
	value, count := cookieValue(r, m.cookieName(inbound.Of(r).Site))
	switch {
	case count == 0:
		return ticket{}, &NoSessionError{CookieMissing}
	case count > 1:
		return ticket{}, errTwoCookies
	}
	t, ok := parseTicket(value, m.deps.Ring)
	if !ok {
		return t, &NoSessionError{CookieInvalid}
	}
	return t, nil
}

// errTwoCookies: one of them is somebody else's (CK-04).
var errTwoCookies = &NoSessionError{CookieInvalid}

// Load finds the request's session, refreshes it when it is time, and moves its idle clock. ErrNoSession (a *NoSessionError with the reason)
// means "not logged in"; every other error "cannot tell".
func (m *Manager) Load(w http.ResponseWriter, r *http.Request) (*Session, error) {
	s, err := m.load(r, true)
	if err == error(errTwoCookies) {
		m.expireCookie(w, r)
	}
	return s, err
}

// Peek is Load without moving the idle clock: a page that asks every minute who is there must not keep a session alive.
func (m *Manager) Peek(r *http.Request) (*Session, error) { return m.load(r, false) }

func (m *Manager) load(r *http.Request, touch bool) (*Session, error) {
	t, err := m.ticketOf(r)
	if err != nil {
		return nil, err
	}
	q := m.ask(t, inbound.Of(r).Site)
	if c, ok := m.remembered(q); ok && !m.due(c.session) && !(touch && m.clockDue(c)) { // nobody else needs to be asked
		m.deps.Metrics.hit.Inc()
		if err := m.valid(c); err != nil {
			return nil, err
		}
		if touch {
			c.seen.Store(m.deps.Now().UnixMilli())
		}
		return c.session, nil
	}
	ctx, cancel := detached(r.Context())
	defer cancel()
	c, err := m.get(ctx, q)
	if err != nil {
		return nil, err
	}
	if c, err = m.fresh(ctx, t, c); err != nil {
		return nil, err
	}
	switch {
	case touch:
		m.touch(ctx, c)
	case c.written.Load() == 0: // Redis has lost it
		m.noteClock(ctx, c)
	}
	return c.session, nil
}

// valid judges a session by our clock: the absolute end, the idle clock, and the lifetimes as they are configured now (SE-01).
func (m *Manager) valid(c *cached) error {
	cfg, now := m.live.Load().Config, m.deps.Now()
	s := c.session
	end := s.ExpiresAt
	if shorter := s.CreatedAt.Add(cfg.Lifetime.D()); shorter.Before(end) {
		end = shorter
	}
	switch {
	case !now.Before(end):
		m.owe(chore{ending: ending{ref: s.Ref, reason: "expired"}})
		return &NoSessionError{Expired}
	case m.idle(c) && m.deps.Store().ReadOnly: // Redis takes no idle clocks, so that of another replica may be missing
		return errClock
	case m.idle(c):
		m.owe(chore{ending: ending{ref: s.Ref, reason: "idle"}})
		return &NoSessionError{Expired}
	}
	return nil
}

func (m *Manager) idle(c *cached) bool {
	limit := m.live.Load().Config.IdleTimeout.D()
	return limit > 0 && m.deps.Now().Sub(c.lastSeen()) >= limit
}
