package gateway

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/proxy/stricthttp"
)

// publicServer returns a server for visitors. It limits what a connection may cost: the time and size of a header,
// idling, and streams. net/http closes an HTTP/2 connection that resets many streams (rapid reset, CVE-2023-39325).
func (g *gateway) publicServer(cfg config.ServerConfig, handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           g.drainer.closeWhileDraining(stricthttp.Paced(stricthttp.Prompt(handler))),
		ReadHeaderTimeout: cfg.Limits.HeaderTimeout.D(),
		IdleTimeout:       cfg.Limits.IdleTimeout.D(),
		MaxHeaderBytes:    int(cfg.Limits.HeaderBytes),
		ErrorLog:          httpErrorLog(g.log),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 100, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second,
			WriteByteTimeout: time.Minute,
		},

		DisableGeneralOptionsHandler: true, // "OPTIONS *" passes the same checks as other requests
	}
}

// adminServer returns the server for operators.
func (g *gateway) adminServer(cfg config.ServerConfig) *http.Server {
	a := &admin.Server{
		Audit: logging.AuditLog(g.log), Listen: cfg.AdminListen, Registry: g.metrics.registry, Sessions: g.sessions,
		Contacts: g.contacts, Pprof: cfg.Pprof, Health: g.health, Config: g.servedConfig,
		Token:    func() string { return g.current.Load().cfg.Server.AdminToken.Reveal() },
		Provider: g.contactProvider,
		Lists:    func() map[string]access.ListID { return g.current.Load().cfg.HubSpot.Access.Lists },
	}
	return &http.Server{
		Handler:           stricthttp.Prompt(a.Handler()),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          httpErrorLog(g.log),
	}
}

// contactProvider returns the provider that the people of an imported file belong to.
func (g *gateway) contactProvider() mapping.Provider {
	gen := g.current.Load()
	return mapping.Provider{Issuer: gen.provider.Issuer(), GroupsClaim: gen.cfg.Auth.GroupsClaim}
}

// httpErrorLog returns the logger for what net/http reports about connections, which clients can cause at will.
func httpErrorLog(l *slog.Logger) *log.Logger {
	return slog.NewLogLogger(logging.Component(l, "server").Handler(), slog.LevelDebug)
}

// servedConfig returns the body of /config: the current configuration with masked secrets, and the last reload.
func (g *gateway) servedConfig() any {
	gen := g.current.Load()
	keys, err := g.sessions.KeysInUse(context.Background())
	if err != nil {
		keys = nil // Redis is unavailable, which /readyz reports
	}
	return map[string]any{
		"session_keys_in_use_until": keys, "sha256": gen.hash, "loaded_at": gen.loadedAt, "config": gen.cfg,
		"warnings": gen.report.Lines(), "last_reload": g.reloader.last.Load(),
	}
}

// Closed returns err unless it only means that the server was closed.
func Closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
