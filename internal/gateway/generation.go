package gateway

import (
	"errors"
	"net/http"
	"net/netip"
	"reflect"
	"time"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/trace"
	"github.com/hubgate/hubgate/proxy"
	"github.com/hubgate/hubgate/session"
)

// generation is everything that one configuration made: immutable, replaced as a whole by a reload.
type generation struct {
	cfg      *config.Config
	report   *config.Report
	hash     string // sha256 of the configuration as it was read, secrets' files included
	loadedAt time.Time

	sites    []*inbound.Site
	trusted  []netip.Prefix
	pages    *page.Pages
	provider *openid.Provider
	auth     *auth.Handler
	facts    *inbound.Resolver
	replaced chan struct{} // closed when the next one takes over
	origin   *originClient
	gate     *proxy.Gate
	handler  http.Handler
}

// newGeneration builds a configuration's parts; nothing takes effect before swap.
func (g *gateway) newGeneration(cfg *config.Config, rep *config.Report) (*generation, error) {
	gen := &generation{cfg: cfg, report: rep, hash: rep.Sha256, loadedAt: time.Now(), sites: cfg.Server.Sites(), trusted: cfg.Server.Trusted(), replaced: make(chan struct{})}
	var err error
	if gen.pages, err = g.pagesFor(cfg.Pages); err != nil {
		return nil, err
	}
	if gen.provider, err = g.providerFor(cfg.Auth); err != nil {
		return nil, err
	}
	if gen.auth, err = auth.New(cfg.Auth, g.authDeps(gen)); err != nil {
		return nil, err
	}
	if gen.origin, err = g.originFor(cfg.Proxy); err != nil {
		return nil, err
	}
	if gen.gate, err = proxy.New(cfg.Proxy, g.gateDeps(gen)); err != nil {
		return nil, err
	}
	gen.handler = g.routes(gen)
	return gen, nil
}

// pagesFor keeps the pages, most of a reload's work, while they are the same; what is in a folder may have changed.
func (g *gateway) pagesFor(cfg page.Config) (*page.Pages, error) {
	if now := g.current.Load(); now != nil && now.cfg.Pages == cfg && cfg.Folder == "" {
		return now.pages, nil
	}
	return page.New(cfg)
}

// providerFor keeps the provider, its keys and its discovery while its block is the same.
func (g *gateway) providerFor(cfg auth.Config) (*openid.Provider, error) {
	if now := g.current.Load(); now == nil || reflect.DeepEqual(now.cfg.Auth, cfg) {
		return g.provider, nil
	}
	return g.newProvider(cfg)
}

// originClient are the connections to the origin.
type originClient struct {
	transport http.RoundTripper
	probe     http.RoundTripper // the same connections; the gateway's own questions are not counted as pages
	idle      func()            // closes those that nobody uses
}

// originFor keeps the connections while the origin, the name it is asked for and the time limits are the same: the name is in every TLS
// handshake.
func (g *gateway) originFor(cfg proxy.Config) (*originClient, error) {
	if now := g.current.Load(); now != nil {
		if was := now.cfg.Proxy; was.Origin == cfg.Origin && was.OriginHost == cfg.OriginHost && was.Timeouts == cfg.Timeouts {
			return now.origin, nil
		}
	}
	connections, err := proxy.NewTransport(cfg)
	if err != nil {
		return nil, err
	}
	measured := dependency.ClientConfig{Name: dependency.HubSpotSite, MaxBody: pageMaxBody, Metrics: g.dependencies, TraceID: trace.RecordedID}
	transport := g.tracer.Transport(dependency.HubSpotSite, dependency.Measured(measured, connections))
	return &originClient{transport, connections, connections.CloseIdleConnections}, nil
}

// replaces lets go of another origin's connections.
func (c *originClient) replaces(last *originClient) {
	if c != last {
		last.idle()
	}
}

func (g *gateway) authDeps(gen *generation) auth.Deps {
	return auth.Deps{
		Provider: gen.provider, Sessions: tracedSessions{g.sessions, g.tracer}, Ender: g.sessions, Redis: g.redis.Request, KeyPrefix: gen.cfg.Session.Redis.KeyPrefix,
		Ring: g.ring, Pages: gen.pages, Log: logging.Component(g.log, "auth"), Audit: logging.AuditLog(g.log), Metrics: g.authMetrics, Limiter: g.limiter, Now: time.Now,
		OnLogin: g.onLogin, OnLogout: gen.onLogout,
	}
}

func (g *gateway) gateDeps(gen *generation) proxy.Deps {
	return proxy.Deps{
		Sessions: tracedSessions{g.sessions, g.tracer}, Login: gen.auth, Reloads: openExchanges{g}, Pages: gen.pages,
		Transport: gen.origin.transport, Log: logging.Component(g.log, "proxy"), Metrics: g.proxyMetrics, Sites: gen.sites,
		AuthPrefix: gen.cfg.Auth.Prefix, ForwardAuth: gen.cfg.Auth.ForwardAuth, ClockSkew: gen.cfg.Auth.ClockSkew.D(),
		OwnsCookie: g.ownsCookie, Leaving: g.leaving, Now: time.Now,
	}
}

// openExchanges judges what was admitted earlier by the rules and sessions in force now.
type openExchanges struct{ gateway *gateway }

// Redecide reports whether an open exchange is still admitted, and when to ask again.
func (o openExchanges) Redecide(open proxy.Open) (admitted bool, again time.Duration) {
	return o.admits(open), o.gateway.sessions.Recheck()
}

// admits keeps what was confirmed within outage_grace while Redis is unavailable: it may not be read for longer.
func (o openExchanges) admits(open proxy.Open) bool {
	if o.gateway.current.Load().gate.Admits(open, nil) { // a public page needs no session
		return true
	}
	s, err := o.gateway.sessions.Peek(open.Request)
	if err != nil {
		return !errors.Is(err, session.ErrNoSession) && open.Session != nil && o.gateway.sessions.Confirmed(open.Session.Ref)
	}
	return o.gateway.current.Load().gate.Admits(open, s)
}

// Replaced returns a channel that is closed when a reload replaces the rules in force now.
func (o openExchanges) Replaced() <-chan struct{} { return o.gateway.current.Load().replaced }

// ownsCookie tells the cookies that are the gateway's own: none of them ever reaches the origin, none is taken from it.
func (g *gateway) ownsCookie(name string) bool {
	return name == middleware.SchemeCookie || g.sessions.OwnsCookie(name) || auth.OwnsCookie(name)
}

// onLogin puts the contact into the queue before the login answers. A queue that cannot take it costs the contact, never the login.
func (g *gateway) onLogin(r *http.Request, s *session.Session, returnTo string) {
	login := loginOf(s)
	login.FirstPage, login.Address = returnTo, inbound.Of(r).Client.String()
	login.UTK, login.OptedOut = hubspotCookies(r)
	attrs := []any{"action", "login", "outcome", "success", "client", inbound.Of(r).Client.String(),
		"session", s.Ref, logging.EmailKey, s.Email}
	if reason := inbound.Of(r).Outcome.Reason; reason != "" {
		attrs = append(attrs, "reason", reason)
	}
	logging.AuditLog(g.log).InfoContext(r.Context(), "login", attrs...)
	if err := g.contacts.Enqueue(r.Context(), login); err != nil {
		logging.Component(g.log, "hubspot").ErrorContext(r.Context(), "contact was not queued", "error", err, "session", s.Ref)
	}
}

// swap makes a generation the one that new requests get, and tells the process-long parts its live settings.
func (g *gateway) swap(next *generation) {
	var gone []string
	if last := g.current.Load(); last != nil {
		defer next.origin.replaces(last.origin)
		gone = missing(last.gate.Rules().Names(), next.gate.Rules().Names())
		defer close(last.replaced)
	}
	g.sessions.Set(session.Settings{
		Config: next.cfg.Session, Issuer: next.provider.Issuer(), ClientID: next.provider.ClientID(),
		RefreshGrace: next.cfg.Auth.RefreshGrace.D(), Refresh: next.provider.Refresh,
	})
	g.contacts.Set(next.cfg.HubSpot)
	g.provider = next.provider
	g.emails.Mode.Store(&next.cfg.Log.Email)
	_ = g.level.UnmarshalText([]byte(next.cfg.Log.Level)) // validated when the file was loaded
	if g.current.Swap(next) != nil {
		g.probes.suspect()
	}
	g.httpMetrics.SetRules(append([]string{middleware.RuleNone, middleware.RuleGateway}, next.gate.Rules().Names()...), gone)
	g.configMetrics.served(next.hash, len(next.cfg.Proxy.Rules), next.loadedAt)
}

func missing(have, want []string) []string {
	kept := map[string]bool{}
	for _, name := range want {
		kept[name] = true
	}
	var gone []string
	for _, name := range have {
		if !kept[name] {
			gone = append(gone, name)
		}
	}
	return gone
}

func revealed(secrets []setting.Secret) []string {
	texts := make([]string, len(secrets))
	for i, s := range secrets {
		texts[i] = s.Reveal()
	}
	return texts
}
