package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/clockskew"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/trace"
	"github.com/hubgate/hubgate/session"
)

// gateway is everything that lives as long as the process: Redis clients, sessions, the contact queue, certificates,
// metrics. A reload replaces the generation.
type gateway struct {
	lines    *logging.Writer // the output of log
	log      *slog.Logger
	level    slog.LevelVar
	emails   logging.EmailPolicy
	failures *middleware.LoginFailures
	warnings *middleware.Warnings
	metrics  *metricSet
	tracer   *trace.Tracer // nil without tracing
	clock    clockskew.Clock
	now      func() time.Time // of decisions at the gate
	service  *systemd

	ring     *seal.Ring
	redis    *redisclient.Clients
	idp      *http.Client
	limiter  *auth.Limiter
	sessions *session.Manager
	contacts *hubspot.Contacts
	access   *crmAccess
	certs    *certificates
	probes   *probes

	current  atomic.Pointer[generation]
	reloader *reloader
	drainer  *drainer
}

// Limits of a call to the provider and to HubSpot's API, including the response body.
const (
	idpTimeout = 5 * time.Second
	idpMaxBody = 1 << 20
	crmTimeout = 30 * time.Second
	crmMaxBody = 16 << 20
)

// newGateway loads the configuration and creates the parts and the first generation. It waits for no reply: a gateway
// starts while Redis, the provider and HubSpot are unavailable.
func newGateway(sc ServeConfig) (*gateway, error) {
	cfg, rep := config.Load(sc.Path, sc.Getenv)
	rep.AddFiles(cfg)
	if rep.Failed() {
		return nil, &config.Error{Report: rep}
	}
	g := &gateway{lines: sc.Log, limiter: auth.NewLimiter(), service: newSystemd(sc.Getenv), now: sc.now}
	if g.now == nil {
		g.now = time.Now
	}
	g.log = logging.NewLogger(g.lines, cfg.Log, &g.level, &g.emails)
	if sc.onLog != nil {
		sc.onLog(g.log)
	}
	g.metrics = newMetricSet(g.lines)
	g.reloader = newReloader(g, sc)
	g.drainer = newDrainer(logging.Component(g.log, "server"), g.service, g.metrics.config.draining)
	for _, line := range rep.Lines() {
		g.reloader.log.Warn("configuration", "problem", line)
	}
	if err := g.createParts(cfg, &secrets{&g.current, sc.Getenv}); err != nil {
		return nil, err
	}
	first, err := g.newGeneration(cfg, rep)
	if err != nil {
		return nil, err
	}
	log := logging.Component(g.log, "server")
	if g.certs, err = newCertificates(cfg, certificateDeps{
		log: log, registry: g.metrics.registry, redis: g.redis.Queue, ring: g.ring,
	}); err != nil {
		return nil, err
	}
	g.probes = newProbes(probesConfig{
		current: &g.current, api: g.newClient(dependency.HubSpotAPI, dependency.ProbeLimit, crmMaxBody),
		metrics: g.metrics.dependencies, log: log, refusal: g.contacts.Refusal,
	})
	g.swap(first)
	g.reloader.started(first)
	return g, nil
}

// createParts creates the parts in the order in which they need each other.
func (g *gateway) createParts(cfg *config.Config, s *secrets) (err error) {
	log := logging.Component(g.log, "server")
	g.failures = middleware.NewLoginFailures(logging.LoginFailureLog(g.log), time.Now)
	g.warnings = &middleware.Warnings{Log: log}
	g.clock.OnWrong = func(f setting.Finding) { log.Warn(f.Detail, "cure", f.Cure) }
	if g.tracer, err = newTracer(cfg.Tracing, g.log, g.metrics.registry); err != nil {
		return err
	}
	if g.ring, err = seal.New(revealed(cfg.Session.Keys)...); err != nil {
		return err
	}
	observer := redisObserver{g.metrics.dependencies}
	if g.redis, err = redisclient.Open(cfg.Session.Redis, redisclient.Deps{
		Credentials: s.redisCredentials, SentinelPassword: s.sentinelPassword,
		Observe: observer.observe, Report: observer.report, Tracer: g.tracer, Log: logging.Component(g.log, "redis"),
	}); err != nil {
		return err
	}
	g.idp = g.newClient(dependency.IDP, idpTimeout, idpMaxBody)
	g.emails.Ring.Store(g.ring)
	if g.sessions, err = g.newSessions(cfg.Session); err != nil {
		return err
	}
	if g.contacts, err = g.newContacts(cfg, s.hubspotToken); err != nil {
		return err
	}
	g.access, err = g.newAccess(cfg, s)
	return err
}

// newClient returns a client of a dependency that is measured, traced and compared with this machine's clock.
func (g *gateway) newClient(name dependency.Name, timeout time.Duration, maxBody int64) *http.Client {
	client := dependency.NewClient(dependency.ClientConfig{
		Name: name, Timeout: timeout, MaxBody: maxBody, Metrics: g.metrics.dependencies, TraceID: trace.RecordedID,
	})
	client.Transport = &clockskew.Transport{
		Next: g.tracer.Transport(name, client.Transport), Clock: &g.clock, Now: time.Now,
	}
	return client
}

func (g *gateway) newProvider(cfg auth.Config) (*openid.Provider, error) {
	return openid.New(cfg.OpenID(), openid.Deps{
		Client: g.idp, Log: logging.Component(g.log, "auth"), Metrics: g.metrics.openid, Now: time.Now,
	})
}

func (g *gateway) newSessions(cfg session.Config) (*session.Manager, error) {
	return session.New(cfg, session.Deps{
		Redis: g.redis.Request, Block: g.redis.Block, Ring: g.ring,
		Log: logging.Component(g.log, "session"), Audit: logging.AuditLog(g.log),
		Metrics: session.NewMetrics(g.metrics.registry), Now: time.Now, Store: g.redis.Probe.State,
		Revoke: func(ctx context.Context, refreshToken string) { g.current.Load().provider.Revoke(ctx, refreshToken) },
	})
}

func (g *gateway) newContacts(cfg *config.Config, token func() string) (*hubspot.Contacts, error) {
	return hubspot.New(cfg.HubSpot, hubspot.Deps{
		Queue: g.redis.Queue, Block: g.redis.Block, KeyPrefix: cfg.Session.Redis.KeyPrefix, Ring: g.ring,
		Client: g.newClient(dependency.HubSpotAPI, crmTimeout, crmMaxBody), Token: token,
		Log: logging.Component(g.log, "hubspot"), Metrics: hubspot.NewMetrics(g.metrics.registry), Now: time.Now,
		Refused: func() { g.probes.hubspot.Suspect() },
	})
}

// run runs the background work until ctx ends: sessions, contacts, probes, certificates, and the watch on the
// configuration.
func (g *gateway) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	log := logging.Component(g.log, "server")
	keep := func(name string, part func(context.Context) error) {
		group.Go(func() error { return background.Keep(ctx, log, name, part) })
	}
	keep("redis", func(ctx context.Context) error { g.redis.Probe.Run(ctx); return nil })
	keep("session", g.sessions.Run)
	keep("hubspot", g.contacts.Run)
	keep("access", g.access.Run)
	keep("config", g.reloader.watch)
	keep("certs", g.certs.run)
	for _, prober := range g.probes.all() {
		keep("probe", func(ctx context.Context) error { prober.Run(ctx); return nil })
	}
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// ServeHTTP serves a request by the current generation. It loads the generation once, so that a reload does not change
// the configuration in the middle of a request.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if gen := g.current.Load(); !gen.health.Answer(w, r) {
		gen.handler.ServeHTTP(w, r)
	}
}

func (g *gateway) close() error {
	if err := g.redis.Close(); err != nil {
		return fmt.Errorf("close redis: %w", err)
	}
	return nil
}
