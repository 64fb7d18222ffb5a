package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/clockskew"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/trace"
	"github.com/hubgate/hubgate/proxy"
	"github.com/hubgate/hubgate/session"
)

// gateway is what lives as long as the process: listeners, Redis clients, sessions, the contact queue, transports, metrics.
// What a reload replaces is a generation.
type gateway struct {
	path   string // of the configuration file
	getenv func(string) string
	log    *slog.Logger
	lines  *logging.Writer // what log writes to

	current  atomic.Pointer[generation]
	draining atomic.Bool
	leaving  chan struct{} // closed when the listeners close
	visitors visitors
	hup      <-chan os.Signal
	last     atomic.Pointer[attempt] // to load a configuration: the newest
	unread   atomic.Pointer[unread]  // not nil: the configuration cannot be read at present
	lastGood *attempt                // the newest that was not refused; watch's alone

	registry      *prometheus.Registry
	httpMetrics   *middleware.Metrics
	configMetrics *configMetrics
	dependencies  *dependency.Metrics
	tracer        *trace.Tracer // nil without tracing
	proxyMetrics  *proxy.Metrics
	authMetrics   *auth.Metrics
	openidMetrics *openid.Metrics

	ring     *seal.Ring
	redis    *redisclient.Clients
	sessions *session.Manager
	contacts *hubspot.Contacts
	idp      *http.Client
	provider *openid.Provider
	probes   probes
	apiProbe *http.Client
	certs    *certificates
	limiter  *auth.Limiter
	failures *middleware.LoginFailures
	level    slog.LevelVar
	clock    clockskew.Clock // as those see it who answer
	emails   logging.EmailPolicy
	lastSeen string // hash of the newest configuration that was looked at
	warnings *middleware.Warnings
	service  *systemd
}

// Bounds of a call to the provider and to HubSpot's API, the answer's body included.
const (
	idpTimeout  = 5 * time.Second
	idpMaxBody  = 1 << 20
	crmTimeout  = 30 * time.Second
	crmMaxBody  = 16 << 20
	pageMaxBody = 0 // a page may be as long as it likes: it streams
)

// newGateway builds the parts in the order in which they need each other. It asks nobody anything: a gateway starts while Redis,
// the provider and HubSpot are away.
func newGateway(sc ServeConfig) (*gateway, error) {
	cfg, rep := config.Load(sc.Path, sc.Getenv)
	rep.AddFiles(cfg)
	if rep.Failed() {
		return nil, &config.Error{Report: rep}
	}
	g := &gateway{path: sc.Path, getenv: sc.Getenv, leaving: make(chan struct{}), registry: newRegistry(buildinfo.Read()), limiter: auth.NewLimiter(), service: newSystemd(sc.Getenv)}
	g.lines = sc.Log
	g.log = logging.NewLogger(g.lines, cfg.Log, &g.level, &g.emails)
	g.failures = middleware.NewLoginFailures(logging.LoginFailureLog(g.log), time.Now)
	newLogMetrics(g.registry, g.lines)
	for _, line := range rep.Lines() {
		logging.Component(g.log, "config").Warn("configuration", "problem", line)
	}
	g.warnings = &middleware.Warnings{Log: logging.Component(g.log, "server")}
	g.clock.OnWrong = func(d setting.Finding) { logging.Component(g.log, "server").Warn(d.Detail, "cure", d.Cure) }
	g.httpMetrics, g.configMetrics = middleware.NewMetrics(g.registry), newConfigMetrics(g.registry)
	g.dependencies = dependency.NewMetrics(g.registry)
	g.proxyMetrics, g.authMetrics = proxy.NewMetrics(g.registry), auth.NewMetrics(g.registry)
	g.openidMetrics = openid.NewMetrics(g.registry)

	var err error
	if g.tracer, err = g.newTracer(cfg.Tracing); err != nil {
		return nil, err
	}
	if g.ring, err = seal.New(revealed(cfg.Session.Keys)...); err != nil {
		return nil, err
	}
	if g.redis, err = redisclient.Open(cfg.Session.Redis, redisclient.Deps{
		Credentials: g.redisCredentials, SentinelPassword: g.sentinelPassword,
		Observe: g.observeRedis, Report: g.reportRedis, Tracer: g.tracer, Log: logging.Component(g.log, "redis"),
	}); err != nil {
		return nil, err
	}
	g.idp = g.client(dependency.IDP, idpTimeout, idpMaxBody)
	if g.provider, err = g.newProvider(cfg.Auth); err != nil {
		return nil, err
	}
	g.emails.Ring.Store(g.ring)
	if g.sessions, err = g.newSessions(cfg.Session); err != nil {
		return nil, err
	}
	if g.contacts, err = g.newContacts(cfg); err != nil {
		return nil, err
	}
	first, err := g.newGeneration(cfg, rep)
	if err != nil {
		return nil, err
	}
	if g.certs, err = g.newCertificates(first); err != nil {
		return nil, err
	}
	g.apiProbe = g.client(dependency.HubSpotAPI, dependency.ProbeLimit, crmMaxBody)
	g.probes = g.newProbes()
	g.swap(first)
	g.lastSeen = first.hash
	g.accept(&attempt{At: first.loadedAt, OK: true, SHA256: first.hash, Problems: rep.Lines()})
	return g, nil
}

func (g *gateway) client(name dependency.Name, timeout time.Duration, maxBody int64) *http.Client {
	client := dependency.NewClient(dependency.ClientConfig{Name: name, Timeout: timeout, MaxBody: maxBody, Metrics: g.dependencies, TraceID: trace.RecordedID})
	client.Transport = &clockskew.Transport{Next: g.tracer.Transport(name, client.Transport), Clock: &g.clock, Now: time.Now}
	return client
}

func (g *gateway) newProvider(cfg auth.Config) (*openid.Provider, error) {
	return openid.New(cfg.OpenID(), openid.Deps{
		Client: g.idp, Log: logging.Component(g.log, "auth"), Metrics: g.openidMetrics, Now: time.Now,
	})
}

func (g *gateway) newSessions(cfg session.Config) (*session.Manager, error) {
	return session.New(cfg, session.Deps{
		Redis: g.redis.Request, Block: g.redis.Block, Ring: g.ring,
		Log: logging.Component(g.log, "session"), Audit: logging.AuditLog(g.log), Metrics: session.NewMetrics(g.registry), Now: time.Now,
		Store: g.redis.Probe.State, Revoke: g.revoke,
	})
}

func (g *gateway) newContacts(cfg *config.Config) (*hubspot.Contacts, error) {
	return hubspot.New(cfg.HubSpot, hubspot.Deps{
		Queue: g.redis.Queue, Block: g.redis.Block, KeyPrefix: cfg.Session.Redis.KeyPrefix, Ring: g.ring,
		Client: g.client(dependency.HubSpotAPI, crmTimeout, crmMaxBody), Token: g.hubspotToken,
		Log: logging.Component(g.log, "hubspot"), Metrics: hubspot.NewMetrics(g.registry), Now: time.Now,
	})
}

// run works until ctx ends: session upkeep, the contact queue, the watch on the configuration, the probes.
func (g *gateway) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { g.redis.Probe.Run(ctx); return nil })
	group.Go(func() error { return g.sessions.Run(ctx) })
	group.Go(func() error { return g.contacts.Run(ctx) })
	group.Go(func() error { return g.watch(ctx) })
	g.probes.run(ctx, group)
	group.Go(func() error { return g.certs.run(ctx) })
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// ServeHTTP loads the generation once, so that a request lives from start to end under one configuration.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.current.Load().handler.ServeHTTP(w, r)
}

// health gathers how every part was last seen; it asks none of them.
func (g *gateway) health() admin.Health {
	gen := g.current.Load()
	checks := map[string]admin.Check{
		"redis": admin.NewCheck(g.sessions.Health()),
		"idp":   admin.NewCheck(gen.provider.Health()),
	}
	idp := checks["idp"]
	if probed := g.dependencies.Health(dependency.IDP); idp.OK && !probed.OK {
		idp = admin.NewCheck(false, probed.Detail, probed.Since)
	}
	if idp.Since.IsZero() { // nobody has asked it yet
		idp.Since = gen.loadedAt
	}
	checks["idp"] = idp
	site := g.dependencies.Health(dependency.HubSpotSite)
	checks["hubspot_site"] = admin.NewCheck(site.OK, site.Detail, site.Since)
	checks["hubspot_api"] = admin.NewCheck(g.contacts.Health())
	checks["config"] = g.configHealth(gen)
	if detail, since, wrong := g.clock.Health(); wrong {
		checks["clock"] = admin.NewCheck(false, detail, since)
	}
	if ended, bad := g.certs.health(time.Now()); bad {
		checks["certificate"] = ended
	}
	if complete, detail, since := g.lines.Health(); !complete {
		checks["audit_log"] = admin.NewCheck(false, detail, since)
	}
	return admin.Health{Checks: checks}.Summarise(g.draining.Load())
}

// revoke gives back a refresh token that was won for a session which had ended meanwhile.
func (g *gateway) revoke(ctx context.Context, refreshToken string) {
	g.current.Load().provider.Revoke(ctx, refreshToken)
}

// redisCredentials are asked for at each new connection, so that a rotated password needs neither a restart nor a reload.
func (g *gateway) redisCredentials() (username, password string) {
	gen := g.current.Load()
	if gen == nil {
		return "", ""
	}
	cfg := gen.cfg.Session.Redis
	return cfg.Username, gen.report.SecretNow("session.redis.password", cfg.Password, g.getenv)
}

// sentinelPassword likewise.
func (g *gateway) sentinelPassword() string {
	gen := g.current.Load()
	if gen == nil {
		return ""
	}
	return gen.report.SecretNow("session.redis.sentinel_password", gen.cfg.Session.Redis.SentinelPassword, g.getenv)
}

// hubspotToken likewise: HubSpot's rotation leaves the old key seven days.
func (g *gateway) hubspotToken() string {
	gen := g.current.Load()
	if gen == nil {
		return ""
	}
	return gen.report.SecretNow("hubspot.access_token", gen.cfg.HubSpot.AccessToken, g.getenv)
}

func (g *gateway) close() error {
	if err := g.redis.Close(); err != nil {
		return fmt.Errorf("close redis: %w", err)
	}
	return nil
}
