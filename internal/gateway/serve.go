package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy"
	"github.com/hubgate/hubgate/proxy/stricthttp"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// This file is the table of contents: what a request passes, which routes there are, which listeners are opened, how they close.

// routes is what every request passes, outermost first. A request's facts are found once, the line and the metrics are written
// last, and everything is decided on the canonical path.
func (g *gateway) routes(gen *generation) http.Handler {
	ask := gen.cfg.Auth.Prefix + "/auth"
	f := &middleware.Chain{Pages: gen.pages, Log: logging.Component(g.log, "server"), Warnings: g.warnings, Ask: ask}
	facts := inbound.Config{
		Sites: gen.sites, RedirectFrom: gen.cfg.Server.Redirects(), Trusted: gen.trusted,
		TLS: gen.cfg.Server.TLS.Mode != setting.None,
	}
	if gen.cfg.Auth.ForwardAuth == proxy.ForwardAuthHeaders {
		facts.ForwardAuth = ask
	}
	gen.facts = inbound.New(facts)
	logs := middleware.RequestLogs{Audit: logging.AuditLog(g.log), Failures: g.failures}
	if gen.cfg.Log.Access {
		logs.Access = logging.Component(g.log, "access")
	}
	return gen.facts.Wrap(
		g.traced(gen,
			middleware.Observed(logs, g.httpMetrics,
				f.Recovered(
					f.Host(
						f.Scheme(
							middleware.HSTS(gen.cfg.Server.TLS.HSTS.D(),
								f.Canonical(g.route(gen)))))))))
}

// route splits the gateway's own endpoints from the site.
func (g *gateway) route(gen *generation) func(http.ResponseWriter, *http.Request, urlpath.Path) {
	return func(w http.ResponseWriter, r *http.Request, path urlpath.Path) {
		name, own := path.Under(gen.cfg.Auth.Prefix)
		if !own {
			gen.gate.Serve(w, r, path)
			return
		}
		inbound.Of(r).Outcome.Set(middleware.RuleGateway, "public", "gateway")
		inbound.Of(r).Outcome.Endpoint = endpointName(gen.cfg.Auth.Prefix, name)
		switch name {
		case "auth":
			gen.gate.Check(w, r)
		case "test":
			g.testPage(gen, w, r)
		default:
			gen.auth.Endpoint(w, r, name)
		}
	}
}

// endpointName is one of the gateway's own endpoints in its one spelling; whatever else is asked for below the prefix is one word.
func endpointName(prefix, name string) string {
	if name != "auth" && name != "test" && !auth.Known(name) {
		return middleware.RuleGateway
	}
	return prefix + "/" + name
}

// ServeConfig is what serve needs; demo differs in it and in nothing else.
type ServeConfig struct {
	Path   string
	Getenv func(string) string
	Log    *logging.Writer
	Ready  func() // called when the listeners are open; may be nil
}

// Serve runs the gateway until ctx ends, then drains. A second signal ends it at once.
func Serve(ctx context.Context, sc ServeConfig) error {
	caught := catchSignals()
	defer caught.stop()
	if sc.Getenv("GOGC") == "" {
		collectLess(heapFloor)
	}
	g, err := newGateway(sc)
	if err != nil {
		return err
	}
	defer g.close()
	defer g.flushTraces()
	logging.CaptureLibraries(g.log)
	g.hup = caught.hup
	l, err := g.listen()
	if err != nil {
		return err
	}
	g.announce()
	finished := make(chan error, 1)
	go func() { finished <- g.serve(ctx, l) }()
	g.service.ready()
	if sc.Ready != nil {
		sc.Ready()
	}
	select {
	case err := <-finished:
		logging.Component(g.log, "server").Info("stopped")
		return err
	case <-caught.second:
		return errors.New("server: ended at once by a second signal; what was under way was cut off")
	}
}

// serve answers on the listeners until ctx ends or a part fails, then drains. The parts outlive the visitors, and the admin listener
// outlives the parts.
func (g *gateway) serve(ctx context.Context, l *listeners) error {
	cfg := g.current.Load().cfg.Server
	ctx, fail := context.WithCancel(ctx)
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer fail()
	var group errgroup.Group
	run := func(part func() error) { // without it the process cannot go on
		group.Go(func() error { defer fail(); return part() })
	}
	admin := g.adminServer(cfg)
	public := g.publicServer(cfg, g)
	servers := []*http.Server{public}
	run(func() error { return Closed(public.Serve(l.public)) })
	if l.plain != nil {
		plain := g.publicServer(cfg, g.certs.plain(g))
		servers = append(servers, plain)
		run(func() error { return Closed(plain.Serve(l.plain)) })
	}
	run(func() error { return Closed(admin.Serve(l.admin)) })
	run(func() error { defer admin.Close(); return g.run(work) })
	group.Go(func() error { g.service.keepAlive(work, alive(l.admin.Addr())); return nil })
	<-ctx.Done()
	g.drain(servers)
	stop()
	return group.Wait()
}

// publicServer bounds what a visitor's connection may cost: time to send a header, its size, idling, streams. HTTP/2 closes one that
// resets many streams by itself (rapid reset, DS-03).
func (g *gateway) publicServer(cfg config.ServerConfig, handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           g.polite(stricthttp.Paced(stricthttp.Prompt(handler))),
		ReadHeaderTimeout: cfg.Limits.HeaderTimeout.D(),
		IdleTimeout:       cfg.Limits.IdleTimeout.D(),
		MaxHeaderBytes:    int(cfg.Limits.HeaderBytes),
		ErrorLog:          slog.NewLogLogger(logging.Component(g.log, "server").Handler(), slog.LevelDebug),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 100, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second, WriteByteTimeout: time.Minute,
		},

		DisableGeneralOptionsHandler: true, // "OPTIONS *" is judged like everything else
	}
}

func (g *gateway) adminServer(cfg config.ServerConfig) *http.Server {
	a := &admin.Server{
		Audit: logging.AuditLog(g.log), Listen: cfg.AdminListen, Reg: g.registry, Sessions: g.sessions, Contacts: g.contacts,
		Pprof: cfg.Pprof, Health: g.health,
		Token:  func() string { return g.current.Load().cfg.Server.AdminToken.Reveal() },
		Config: g.served,
	}
	return &http.Server{
		Handler:           stricthttp.Prompt(a.Handler()),
		ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(logging.Component(g.log, "server").Handler(), slog.LevelDebug),
	}
}

// announce says at start what the operator must know: what to register at the provider, what is off, what will be lost.
func (g *gateway) announce() {
	gen, log := g.current.Load(), logging.Component(g.log, "server")
	for _, site := range gen.sites {
		log.Info("register these URLs at the provider's app client",
			"callback_url", site.Origin()+gen.cfg.Auth.Prefix+"/callback", "logout_url", site.Origin()+gen.cfg.Auth.Prefix+"/signed_out")
	}
	if gen.cfg.Session.Redis.Mode == "embedded" {
		log.Warn("Redis is embedded in this process: sessions and the contact queue are lost when it ends, and a second replica would not see them; for trying out only")
	}
	if gen.cfg.HubSpot.AccessToken == "" {
		log.Warn("contact sync is off: hubspot.access_token is empty")
	}
	if most, known := maxDescriptors(); known {
		if problem, cure := checkDescriptors(gen.cfg.Server, most); problem != "" {
			log.Warn(problem, "cure", cure)
		}
	}
	log.Info("serving", "listen", gen.cfg.Server.Listen, "admin_listen", gen.cfg.Server.AdminListen,
		"rules", len(gen.cfg.Proxy.Rules), "config_sha256", gen.hash, "version", buildinfo.Read().Version)
}

func Closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// served is the configuration as it is served, secrets masked, for /config.
func (g *gateway) served() any {
	gen := g.current.Load()
	keys, err := g.sessions.KeysInUse(context.Background())
	if err != nil {
		keys = nil // Redis is away: /readyz says so
	}
	return map[string]any{
		"session_keys_in_use_until": keys, "sha256": gen.hash, "loaded_at": gen.loadedAt, "config": gen.cfg, "warnings": gen.report.Lines(),
		"last_reload": g.last.Load(),
	}
}
