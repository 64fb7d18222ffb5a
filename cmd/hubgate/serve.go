package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy"
)

// This file is the table of contents: what a request passes, which routes there are, which listeners are opened, how they close.

func serveCommand(e *env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run the gateway",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return serve(e.ctx, serveConfig{path: path, getenv: e.getenv, stderr: e.stderr})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// routes is what every request passes, outermost first. A request's facts are found once, the line and the metrics are written
// last, and everything is decided on the canonical path.
func (g *gateway) routes(gen *generation) http.Handler {
	f := &front{pages: gen.pages, log: component(g.log, "server"), warnings: g.warnings}
	gen.facts = inbound.New(inbound.Config{
		Sites: gen.sites, RedirectFrom: gen.cfg.Server.redirects(), Trusted: gen.cfg.Server.trusted(),
		TLS: gen.cfg.Server.TLS.Mode != setting.None,
	})
	var access *slog.Logger
	if gen.cfg.Log.Access {
		access = component(g.log, "access")
	}
	return gen.facts.Wrap(
		observed(access, g.httpMetrics,
			f.recovered(
				f.host(
					f.scheme(
						hsts(gen.cfg.Server.TLS.HSTS.D(),
							f.canonical(g.route(gen))))))))
}

// route splits the gateway's own endpoints from the site.
func (g *gateway) route(gen *generation) func(http.ResponseWriter, *http.Request, proxy.Path) {
	return func(w http.ResponseWriter, r *http.Request, path proxy.Path) {
		name, own := path.Under(gen.cfg.Auth.Prefix)
		if !own {
			gen.gate.Serve(w, r, path)
			return
		}
		outcome(r, ruleGateway, "public", "gateway")
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

// serveConfig is what serve needs; demo differs in it and in nothing else.
type serveConfig struct {
	path   string
	getenv func(string) string
	stderr io.Writer // the log
	ready  func()    // called when the listeners are open; may be nil
}

// serve runs the gateway until ctx ends, then drains.
func serve(ctx context.Context, sc serveConfig) error {
	g, err := newGateway(sc)
	if err != nil {
		return err
	}
	defer g.close()
	cfg := g.current.Load().cfg.Server
	public, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("server: listen: %w", err)
	}
	adminListener, err := net.Listen("tcp", cfg.AdminListen)
	if err != nil {
		public.Close()
		return fmt.Errorf("server: listen for admin: %w", err)
	}
	public = limitPerAddress(public, int(cfg.Limits.ConnectionsPerAddress), cfg.trusted())
	public = proxy.StrictHTTP1(public, g.certs.tls(), cfg.Limits.HeaderTimeout.D())
	plain, err := g.listenPlain(cfg)
	if err != nil {
		return err
	}
	g.announce()

	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, work := errgroup.WithContext(work)
	site, adminServer := g.publicServer(cfg), g.adminServer(cfg)
	group.Go(func() error { return closed(site.Serve(public)) })
	group.Go(func() error { return closed(adminServer.Serve(adminListener)) })
	if plain != nil {
		plainServer := g.plainServer(cfg)
		group.Go(func() error { return closed(plainServer.Serve(plain)) })
		defer plainServer.Close()
	}
	group.Go(func() error { return g.run(work) })
	group.Go(func() error { g.service.keepAlive(work, func() bool { return true }); return nil })
	group.Go(func() error {
		select {
		case <-ctx.Done():
		case <-work.Done():
		}
		defer stop()
		g.service.stopping()
		return g.drain(cfg, site, adminServer)
	})
	g.service.ready()
	if sc.ready != nil {
		sc.ready()
	}
	return group.Wait()
}

// drain ends the process politely: unready, then deaf, then done. Requests under way get drain_timeout; a second signal ends at once
// because the first one was the last that is caught.
func (g *gateway) drain(cfg ServerConfig, site, adminServer *http.Server) error {
	log := component(g.log, "server")
	g.draining.Store(true)
	g.configMetrics.draining.Set(1)
	log.Info("draining", "drain_delay", cfg.DrainDelay.String(), "drain_timeout", cfg.DrainTimeout.String())
	again, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	select {
	case <-time.After(cfg.DrainDelay.D()):
	case <-again.Done():
	}
	limit, cancel := context.WithTimeout(again, cfg.DrainTimeout.D())
	defer cancel()
	err := site.Shutdown(limit)
	if err != nil {
		log.Warn("requests were cut off at the end of drain_timeout", "error", err)
		site.Close()
	}
	adminServer.Close()
	log.Info("stopped")
	return nil
}

// publicServer bounds what a visitor's connection may cost: time to send a header, its size, idling.
func (g *gateway) publicServer(cfg ServerConfig) *http.Server {
	return &http.Server{
		Handler:           g,
		ReadHeaderTimeout: cfg.Limits.HeaderTimeout.D(),
		IdleTimeout:       cfg.Limits.IdleTimeout.D(),
		MaxHeaderBytes:    int(cfg.Limits.HeaderBytes),
		ErrorLog:          slog.NewLogLogger(component(g.log, "server").Handler(), slog.LevelDebug),

		DisableGeneralOptionsHandler: true, // "OPTIONS *" is judged like everything else
	}
}

func (g *gateway) adminServer(cfg ServerConfig) *http.Server {
	a := &admin{
		log: component(g.log, "audit"), listen: cfg.AdminListen, reg: g.registry, sessions: g.sessions, contacts: g.contacts,
		pprof: cfg.Pprof, health: g.health,
		token:  func() string { return g.current.Load().cfg.Server.AdminToken.Reveal() },
		config: g.served,
	}
	return &http.Server{
		Handler: a.handler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(component(g.log, "server").Handler(), slog.LevelDebug),
	}
}

// announce says at start what the operator must know: what to register at the provider, what is off, what will be lost.
func (g *gateway) announce() {
	gen, log := g.current.Load(), component(g.log, "server")
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
	log.Info("serving", "listen", gen.cfg.Server.Listen, "admin_listen", gen.cfg.Server.AdminListen,
		"rules", len(gen.cfg.Proxy.Rules), "config_sha256", gen.hash, "version", readBuildInfo().Version)
}

func closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// listenPlain opens the listener that answers ACME challenges and redirects to https; nil when there is none.
func (g *gateway) listenPlain(cfg ServerConfig) (net.Listener, error) {
	if cfg.TLS.HTTPListen == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", cfg.TLS.HTTPListen)
	if err != nil {
		return nil, fmt.Errorf("server: listen for http: %w", err)
	}
	return l, nil
}

func (g *gateway) plainServer(cfg ServerConfig) *http.Server {
	s := g.publicServer(cfg)
	s.Handler = g.certs.plain(g)
	return s
}

// served is the configuration as it is served, secrets masked, for /config.
func (g *gateway) served() any {
	gen := g.current.Load()
	keys, err := g.sessions.KeysInUse(context.Background())
	if err != nil {
		keys = nil // Redis is away: /readyz says so
	}
	return map[string]any{"session_keys_in_use_until": keys, "sha256": gen.hash, "loaded_at": gen.loadedAt, "config": gen.cfg, "warnings": gen.report.lines()}
}
