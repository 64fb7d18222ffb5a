// Package hubspot keeps HubSpot's contacts in step with the logins.
//
// A login is put into a Redis stream before the visitor gets an answer (Enqueue); one replica at a time, the holder of a lease,
// sends what is queued in batches (Run), inside one request budget for all replicas, and removes an entry only after HubSpot's
// answer to it was processed. What HubSpot will never take goes to the dead letters with its reason.
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

	"github.com/hubgate/hubgate/internal/seal"
)

// Login is one login as the outbox takes it: whose contact is to be kept, and from what.
type Login struct {
	Issuer        string         `json:"issuer"`
	Subject       string         `json:"subject"`
	Email         string         `json:"email"`
	EmailVerified bool           `json:"email_verified,omitempty"`
	Name          string         `json:"name,omitempty"`
	Groups        []string       `json:"groups,omitempty"`
	Claims        map[string]any `json:"claims,omitempty"`
	Host          string         `json:"host,omitempty"`       // the public host that was logged in to
	FirstPage     string         `json:"first_page,omitempty"` // the page that the login was for
	UTK           string         `json:"utk,omitempty"`        // the browser's hubspotutk cookie
	OptedOut      bool           `json:"opted_out,omitempty"`  // the browser carries HubSpot's opt-out
	Address       string         `json:"address,omitempty"`    // the visitor's IP address
	At            time.Time      `json:"at"`
}

// Deps are what Contacts needs of others.
type Deps struct {
	Queue     redis.UniversalClient // commands and scripts; must not retry by itself: an entry would be queued twice
	Block     redis.UniversalClient // blocking reads
	KeyPrefix string
	Ring      *seal.Ring
	Client    *http.Client // bounded in time and bytes, follows no redirect
	Log       *slog.Logger
	Metrics   *Metrics
	Now       func() time.Time
	Token     func() string // HubSpot's access token as of now
}

// Contacts is the outbox, its worker and what operators ask of them. It lives as long as the process.
type Contacts struct {
	deps    Deps
	live    atomic.Pointer[settings]
	outbox  *outbox
	client  *client
	limiter *sharedLimiter
	known   atomic.Pointer[schema] // HubSpot's definitions, once this replica read them
	health  health
	faults  faults
}

// settings are what a reload may change, compiled once.
type settings struct {
	cfg     Config
	mapping *mapping
}

// New makes Contacts without touching the network.
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
	if deps.Metrics == nil {
		deps.Metrics = NewMetrics(nil)
	}
	c := &Contacts{deps: deps}
	c.outbox = newOutbox(deps)
	c.limiter = newSharedLimiter(deps, c.outbox.keys)
	c.client = &client{http: deps.Client, tokenNow: deps.Token, limiter: c.limiter}
	c.health.report(true, "not asked yet", deps.Now())
	c.Set(cfg)
	return c, nil
}

// Set takes the settings of a reload: mapping, limits, where HubSpot is.
func (c *Contacts) Set(cfg Config) {
	c.live.Store(&settings{cfg: cfg, mapping: newMapping(cfg.Contacts)})
	c.client.set(cfg)
	c.limiter.set(cfg.RateLimit)
}

// on tells whether contacts are kept at all.
func (s *settings) on() bool { return s.cfg.Contacts.Sync && s.cfg.AccessToken != "" }

// enqueueTimeout bounds how long a login waits for Redis to take the contact.
const enqueueTimeout = 2 * time.Second

// Enqueue puts a login into the queue and returns when Redis has it, or an error after at most 2 s. People who must not become
// contacts are left out without an error, and so is everybody while contact sync is off.
func (c *Contacts) Enqueue(ctx context.Context, l Login) error {
	live := c.live.Load()
	if !live.on() {
		return nil
	}
	if reason := live.mapping.skip(l); reason != "" {
		c.deps.Log.Info("contact not sent", "reason", reason, "subject", c.outbox.logHash(l))
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
	defer cancel()
	if err := c.outbox.add(ctx, entry{Login: limitSize(l)}); err != nil {
		c.deps.Metrics.lost.Inc()
		c.health.report(false, "a login's contact could not be queued: Redis did not take it", c.deps.Now())
		return fmt.Errorf("hubspot: queue contact of subject %s: %w", c.outbox.logHash(l), err)
	}
	return nil
}

// Health tells whether HubSpot took the last call, in a sentence for the operator, and since when it is so. It asks nobody.
func (c *Contacts) Health() (ok bool, detail string, since time.Time) {
	if !c.live.Load().on() {
		return true, "contact sync is off", c.health.read().since
	}
	h := c.health.read()
	return h.ok, h.detail, h.since
}

// health is how the worker last saw HubSpot.
type health struct {
	mu   sync.Mutex
	last healthReport
}

type healthReport struct {
	ok     bool
	detail string
	since  time.Time
}

func (h *health) report(ok bool, detail string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last.ok != ok || h.last.since.IsZero() {
		h.last.since = now
	}
	h.last.ok, h.last.detail = ok, detail
}

func (h *health) read() healthReport {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}
