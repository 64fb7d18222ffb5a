package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/connlimit"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// This file is the table of contents: how the process starts and ends, what handles a request, and which endpoints
// there are.

// ServeConfig is the input of Serve. The demo differs from serve in nothing else.
type ServeConfig struct {
	Path   string // of the configuration file
	From   string // where Path comes from, for the log
	Getenv func(string) string
	Log    *logging.Writer
	Ready  func() // called when the listeners are open; may be nil
	// onLog is called when the log exists and no library is in use yet. It is nil in tests that create several gateways,
	// because libraries have one logger for the whole process.
	onLog func(*slog.Logger)
	// now is the clock of what HubSpot's answers decide; nil is time.Now. Only tests set it.
	now func() time.Time
}

// Serve runs the gateway until ctx ends, then shuts down gracefully. A second signal stops it at once.
func Serve(ctx context.Context, sc ServeConfig) error {
	signals := catchSignals()
	defer signals.stop()
	if sc.Getenv("GOGC") == "" {
		setGCFloor(gcFloor)
	}
	sc.onLog = logging.CaptureLibraries
	g, err := newGateway(sc)
	if err != nil {
		return err
	}
	defer g.close()
	defer closeTracer(g.tracer)
	g.reloader.hup = signals.hup
	first, log := g.current.Load(), logging.Component(g.log, "server")
	perClient := func() connlimit.PerClient { return g.current.Load().perClient() }
	l, err := listen(first.cfg.Server, g.certs.tlsConfig(), perClient)
	if err != nil {
		return err
	}
	log.Info("configuration file", "file", sc.Path, "from", sc.From)
	first.logStart(log)
	finished := make(chan error, 1)
	go func() { finished <- g.serve(ctx, l) }()
	g.service.ready()
	if sc.Ready != nil {
		sc.Ready()
	}
	select {
	case err := <-finished:
		log.Info("stopped")
		return err
	case <-signals.second:
		return errors.New("server: stopped by a second signal; requests in flight were aborted")
	}
}

// serve serves the listeners until ctx ends or a part fails, then drains. The background work ends after the last
// request, and the admin listener closes last.
func (g *gateway) serve(ctx context.Context, l *listeners) error {
	cfg := g.current.Load().cfg.Server
	ctx, fail := context.WithCancel(ctx)
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer fail()
	var group errgroup.Group
	run := func(part func() error) { // the process ends with this part
		group.Go(func() error { defer fail(); return part() })
	}
	admin := g.adminServer(cfg)
	public := g.publicServer(cfg, g)
	servers := []*http.Server{public}
	run(func() error { return Closed(public.Serve(l.public)) })
	if l.plain != nil {
		plain := g.publicServer(cfg, g.certs.plainHandler(&g.current))
		servers = append(servers, plain)
		run(func() error { return Closed(plain.Serve(l.plain)) })
	}
	run(func() error { return Closed(admin.Serve(l.admin)) })
	run(func() error { defer admin.Close(); return g.run(work) })
	group.Go(func() error { g.service.keepAlive(work, livenessOf(l.admin.Addr())); return nil })
	<-ctx.Done()
	g.drainer.drain(g.current.Load().cfg.Server, servers)
	stop()
	return group.Wait()
}

// routes returns the handlers of a request, outermost first. The facts of a request are determined once, its log line
// and metrics are written last, and every decision is made on the canonical path.
func (g *gateway) routes(gen *generation) http.Handler {
	forwardAuth := gen.cfg.Auth.Prefix + "/auth"
	chain := &middleware.Chain{
		Pages: gen.pages, Log: logging.Component(g.log, "server"), Warnings: g.warnings, Ask: forwardAuth,
	}
	facts := inbound.Config{
		Sites: gen.sites, RedirectFrom: gen.cfg.Server.Redirects(), Trusted: gen.trusted,
		TLS: gen.cfg.Server.TLS.Mode != setting.None,
	}
	if gen.cfg.Auth.ForwardAuth == proxy.ForwardAuthHeaders {
		facts.ForwardAuth = forwardAuth
	}
	gen.facts = inbound.New(facts)
	logs := middleware.RequestLogs{Audit: logging.AuditLog(g.log), Failures: g.failures}
	if gen.cfg.Log.Access {
		logs.Access = logging.Component(g.log, "access")
	}
	return gen.facts.Wrap(
		traced(g.tracer, gen,
			middleware.Observed(logs, g.metrics.http,
				chain.Recovered(
					chain.Host(
						chain.Scheme(
							middleware.HSTS(gen.cfg.Server.TLS.HSTS.D(),
								chain.Canonical(g.route(gen)))))))))
}

// route separates the gateway's own endpoints from the site.
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
			testPage{gen, g.sessions, g.contacts, g.access}.ServeHTTP(w, r)
		default:
			gen.auth.Endpoint(w, r, name)
		}
	}
}

// endpointName returns the name of an own endpoint for metrics and traces; unknown ones share a name, because clients
// choose them.
func endpointName(prefix, name string) string {
	if name != "auth" && name != "test" && !auth.Known(name) {
		return middleware.RuleGateway
	}
	return prefix + "/" + name
}

// logStart logs what an operator must know at the start: the URLs to register at the provider, and what is disabled.
func (gen *generation) logStart(log *slog.Logger) {
	for _, site := range gen.sites {
		log.Info("register these URLs at the provider's app client",
			"callback_url", site.Origin()+gen.cfg.Auth.Prefix+"/callback",
			"logout_url", site.Origin()+gen.cfg.Auth.Prefix+"/signed_out")
	}
	if gen.cfg.HubSpot.AccessToken == "" {
		log.Warn("contact sync is off: hubspot.access_token is empty")
	}
	if limit, known := maxDescriptors(); known {
		if problem, cure := checkDescriptors(gen.cfg.Server, limit); problem != "" {
			log.Warn(problem, "cure", cure)
		}
	}
	log.Info("serving", "listen", gen.cfg.Server.Listen, "admin_listen", gen.cfg.Server.AdminListen,
		"rules", len(gen.cfg.Proxy.Rules), "config_sha256", gen.hash, "version", buildinfo.Read().Version)
}
