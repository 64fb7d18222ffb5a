package hubspot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/hubspot/ratelimit"
	"github.com/hubgate/hubgate/internal/seal"
)

// Deps are the dependencies of Contacts.
type Deps struct {
	Queue     redis.UniversalClient // commands and scripts; must not retry, which could queue an entry twice
	Block     redis.UniversalClient // blocking reads
	KeyPrefix string
	Ring      *seal.Ring
	Client    *http.Client // limits time and size of responses, follows no redirects
	Log       *slog.Logger
	Metrics   *Metrics
	Now       func() time.Time
	Token     func() string // returns HubSpot's current access token
	Refused   func()        // called when HubSpot rejects the token; may be nil
}

// Contacts syncs contacts: the queue, its worker, and the operations for operators. It lives as long as the process.
type Contacts struct {
	deps    Deps
	live    atomic.Pointer[settings]
	outbox  *outbox.Outbox
	client  *crm.Client
	limits  *ratelimit.Limits
	answers *access.Records            // what HubSpot said about people
	known   atomic.Pointer[crm.Schema] // HubSpot's property definitions, nil until this replica has read them
	health  health
	faults  faults
}

// settings is the part that a configuration reload replaces.
type settings struct {
	cfg     Config
	mapping *mapping.Mapping
}

// New returns Contacts. It makes no network calls.
func New(cfg Config, deps Deps) (*Contacts, error) {
	if deps.Queue == nil || deps.Ring == nil || deps.Client == nil {
		return nil, errors.New("hubspot: Queue, Ring and Client are required")
	}
	if deps.Block == nil {
		deps.Block = deps.Queue
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Refused == nil {
		deps.Refused = func() {}
	}
	if deps.Metrics == nil {
		deps.Metrics = NewMetrics(nil)
	}
	c := &Contacts{deps: deps}
	c.outbox = outbox.New(outbox.Deps{
		Queue: deps.Queue, Block: deps.Block, KeyPrefix: deps.KeyPrefix, Ring: deps.Ring, Log: deps.Log, Now: deps.Now,
		Mapped: func(l outbox.Login) outbox.Login { return c.live.Load().mapping.Mapped(l) },
	})
	c.limits = ratelimit.New(ratelimit.Deps{Redis: deps.Queue, KeyPrefix: deps.KeyPrefix, Now: deps.Now})
	c.answers = access.NewRecords(deps.Queue, deps.KeyPrefix, deps.Ring)
	c.client = crm.New(cfg.CRM(), deps.Client, c.limits.Sync, deps.Token)
	c.health.report(true, "not asked yet", deps.Now())
	c.Set(cfg)
	return c, nil
}

// Set applies a reloaded configuration: mapping, rate limit, what is left to visitors, and API address.
func (c *Contacts) Set(cfg Config) {
	c.live.Store(&settings{cfg: cfg, mapping: mapping.New(cfg.Contacts)})
	c.client.Set(cfg.CRM())
	rate := cfg.RateLimit
	if rate.Requests < 1 || rate.Per <= 0 {
		rate = DefaultConfig().RateLimit
	}
	c.limits.Set(rate)
	c.limits.Reserve(cfg.Access.On())
}

// VisitorReads grants the calls about access that a visitor waits for. Contact sync cannot make them wait.
func (c *Contacts) VisitorReads() *ratelimit.Limiter { return c.limits.Visitors }

// SpareReads grants the calls about access that can wait.
func (c *Contacts) SpareReads() *ratelimit.Limiter { return c.limits.Spare }

// on reports whether contact sync is on.
func (s *settings) on() bool { return s.cfg.Contacts.Sync && s.cfg.AccessToken != "" }

// enqueueTimeout limits how long a login waits for Redis.
const enqueueTimeout = 2 * time.Second

// Enqueue adds a login to the queue. It returns when Redis has stored it, or with an error after at most 2 s. Logins of
// people who must not become contacts are skipped without an error, and so are all logins while contact sync is off.
func (c *Contacts) Enqueue(ctx context.Context, l outbox.Login) error {
	live := c.live.Load()
	if !live.on() {
		return nil
	}
	if reason := live.mapping.Skip(l); reason != "" {
		c.skipped(l, reason)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
	defer cancel()
	err := c.outbox.Add(ctx, outbox.Entry{Login: live.mapping.LimitSize(l)})
	if errors.Is(err, ErrForgotten) {
		c.skipped(l, mapping.SkipForgotten)
		return nil
	}
	if err != nil {
		c.deps.Metrics.lost.Inc()
		c.health.report(false, "a login could not be queued in Redis", c.deps.Now())
		return fmt.Errorf("hubspot: queue contact of subject %s: %w", c.outbox.LogHash(l), err)
	}
	return nil
}

// skipped reports a person who must not become a contact.
func (c *Contacts) skipped(l outbox.Login, reason string) {
	c.deps.Metrics.skipped.WithLabelValues(reason).Inc()
	c.deps.Log.Info("contact skipped", "reason", mapping.SkipText(reason), "subject", c.outbox.LogHash(l))
}

// Health reports whether HubSpot accepted the last call, with a sentence for the operator, and since when. It makes no
// calls.
func (c *Contacts) Health() (ok bool, detail string, since time.Time) {
	if !c.live.Load().on() {
		return true, "contact sync is off", c.health.read().since
	}
	h := c.health.read()
	return h.ok, h.detail, h.since
}

// Refusal returns why HubSpot rejects all calls with the token, or nil. It makes no calls.
func (c *Contacts) Refusal() error {
	if h := c.health.read(); h.refused && c.live.Load().on() {
		return errors.New(h.detail)
	}
	return nil
}

// health is the result of the worker's last call to HubSpot.
type health struct {
	mu   sync.Mutex
	last healthReport
}

type healthReport struct {
	ok      bool
	refused bool // HubSpot rejects the token, since then
	detail  string
	since   time.Time
}

func (h *health) report(ok bool, detail string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last.ok != ok || h.last.since.IsZero() {
		h.last.since = now
	}
	h.last.ok, h.last.detail = ok, detail
	h.last.refused = h.last.refused && !ok
}

// refuse adds to a failure that HubSpot rejects the token, until calls succeed or another replica makes them.
func (h *health) refuse(refused bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last.refused = refused && !h.last.ok
}

func (h *health) read() healthReport {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}
