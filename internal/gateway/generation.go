package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/proxy"
	"github.com/hubgate/hubgate/session"
)

// generation is everything that is created from one configuration. It is immutable; a reload replaces it as a whole.
type generation struct {
	cfg      *config.Config
	report   *config.Report
	hash     string // SHA-256 of the configuration as read, including files of secrets
	loadedAt time.Time

	sites    []*inbound.Site
	trusted  []netip.Prefix
	pages    *page.Pages
	provider *openid.Provider
	auth     *auth.Handler
	origin   *originClient
	gate     *proxy.Gate
	facts    *inbound.Resolver
	health   middleware.HealthCheck
	handler  http.Handler
	replaced chan struct{} // closed when the next generation takes over
}

// newGeneration creates the parts of a configuration. Nothing takes effect before swap.
func (g *gateway) newGeneration(cfg *config.Config, rep *config.Report) (*generation, error) {
	gen := &generation{
		cfg: cfg, report: rep, hash: rep.SHA256, loadedAt: time.Now(),
		sites: cfg.Server.Sites(), trusted: cfg.Server.Trusted(), replaced: make(chan struct{}),
		health: middleware.HealthCheck{Path: cfg.Server.HealthPath, Draining: g.drainer.draining.Load},
	}
	last := g.current.Load()
	var err error
	if gen.pages, err = pagesFor(cfg.Pages, last); err != nil {
		return nil, err
	}
	if gen.provider, err = g.providerFor(cfg.Auth, last); err != nil {
		return nil, err
	}
	if gen.auth, err = auth.New(cfg.Auth, g.authDeps(gen)); err != nil {
		return nil, err
	}
	if gen.origin, err = originFor(cfg.Proxy, last, g.tracer, g.metrics.dependencies); err != nil {
		return nil, err
	}
	if gen.gate, err = proxy.New(cfg.Proxy, g.gateDeps(gen)); err != nil {
		return nil, err
	}
	gen.handler = g.routes(gen)
	return gen, nil
}

// pagesFor returns the last pages if their section is unchanged, because creating them takes most of the time of a
// reload. The content of a folder may always have changed.
func pagesFor(cfg page.Config, last *generation) (*page.Pages, error) {
	if last != nil && last.cfg.Pages == cfg && cfg.Folder == "" {
		return last.pages, nil
	}
	return page.New(cfg)
}

// providerFor returns the last provider, with its keys and its discovery document, if the section auth is unchanged.
func (g *gateway) providerFor(cfg auth.Config, last *generation) (*openid.Provider, error) {
	if last != nil && reflect.DeepEqual(last.cfg.Auth, cfg) {
		return last.provider, nil
	}
	return g.newProvider(cfg)
}

func (g *gateway) authDeps(gen *generation) auth.Deps {
	return auth.Deps{
		Provider: gen.provider, Sessions: tracedSessions{g.sessions, g.tracer}, Ender: g.sessions,
		Redis: g.redis.Request, KeyPrefix: gen.cfg.Session.Redis.KeyPrefix, Ring: g.ring, Pages: gen.pages,
		Log: logging.Component(g.log, "auth"), Audit: logging.AuditLog(g.log), Metrics: g.metrics.auth,
		Limiter: g.limiter, Now: time.Now, OnLogin: g.onLogin, OnLogout: gen.onLogout,
		Lists: g.listsOf(gen.cfg.HubSpot.Access.Lists),
	}
}

func (g *gateway) gateDeps(gen *generation) proxy.Deps {
	return proxy.Deps{
		Sessions: tracedSessions{g.sessions, g.tracer}, CRM: g.access, Login: gen.auth, Reloads: openExchanges{g},
		Pages:     gen.pages,
		Transport: gen.origin.transport, Log: logging.Component(g.log, "proxy"), Metrics: g.metrics.proxy,
		Sites: gen.sites, AuthPrefix: gen.cfg.Auth.Prefix, ForwardAuth: gen.cfg.Auth.ForwardAuth,
		RulesEnv: gen.cfg.RulesEnv(), OwnsCookie: g.ownsCookie, Leaving: g.drainer.leaving, Now: g.now,
	}
}

// ownsCookie reports whether a cookie is one of the gateway's own, which are neither sent to the origin nor accepted
// from it.
func (g *gateway) ownsCookie(name string) bool {
	return name == middleware.SchemeCookie || g.sessions.OwnsCookie(name) || auth.OwnsCookie(name)
}

// prepare creates a generation and everything else that may fail. It changes the keys last, when nothing can fail any
// more.
func (g *gateway) prepare(cfg *config.Config, rep *config.Report) (*generation, error) {
	if err := g.checkRemovedKeys(cfg); err != nil {
		return nil, err
	}
	next, err := g.newGeneration(cfg, rep)
	if err != nil {
		return nil, err
	}
	if err := g.certs.apply(cfg.Server); err != nil {
		return nil, err
	}
	return next, g.ring.Set(revealed(cfg.Session.Keys)...)
}

// checkRemovedKeys rejects a configuration without a key that seals live sessions, because their users would be logged
// out.
func (g *gateway) checkRemovedKeys(cfg *config.Config) error {
	next := seal.IDsOf(revealed(cfg.Session.Keys)...)
	var removed []string
	for _, id := range g.ring.IDs() {
		if !slices.Contains(next, id) {
			removed = append(removed, id.String())
		}
	}
	if len(removed) == 0 {
		return nil
	}
	inUse, err := g.sessions.KeysInUse(context.Background())
	if err != nil {
		return fmt.Errorf("session.keys: a key was removed, and Redis did not report whether sessions still use it: %w", err)
	}
	for _, id := range removed {
		if until, used := inUse[id]; used {
			return fmt.Errorf("session.keys: the removed key %s seals sessions until %s; "+
				"keep it at the end of the list until then", id, until.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// swap makes a generation the current one and passes its settings on to the parts that live as long as the process.
func (g *gateway) swap(next *generation) {
	var gone []string
	if last := g.current.Load(); last != nil {
		defer next.origin.closeReplaced(last.origin)
		gone = missing(last.gate.Rules().Names(), next.gate.Rules().Names())
		defer close(last.replaced)
	}
	g.sessions.Set(session.Settings{
		Config: next.cfg.Session, Issuer: next.provider.Issuer(), ClientID: next.provider.ClientID(),
		RefreshGrace: next.cfg.Auth.RefreshGrace.D(), Refresh: next.provider.Refresh,
	})
	g.contacts.Set(next.cfg.HubSpot)
	g.access.Set(next.cfg.HubSpot)
	g.emails.Mode.Store(&next.cfg.Log.Email)
	_ = g.level.UnmarshalText([]byte(next.cfg.Log.Level)) // validated when the file was loaded
	if g.current.Swap(next) != nil {
		g.probes.configChanged()
		g.access.Retry()
	}
	g.metrics.http.SetRules(next.gate.Rules().Outcomes(), gone)
	g.metrics.config.setServed(next.hash, len(next.cfg.Proxy.Rules))
}

// missing returns the names of before that are not in after.
func missing(before, after []string) (gone []string) {
	kept := map[string]bool{}
	for _, name := range after {
		kept[name] = true
	}
	for _, name := range before {
		if !kept[name] {
			gone = append(gone, name)
		}
	}
	return gone
}
