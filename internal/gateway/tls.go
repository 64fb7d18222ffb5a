package gateway

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/certs"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
)

// certificates is where the public listener's TLS comes from: nowhere, files, or an ACME authority.
type certificates struct {
	log      *slog.Logger
	files    *certs.Files
	acme     *certs.ACME
	broken   string // why the files could not be read again
	notAfter *prometheus.GaugeVec
}

// health tells of a certificate that has ended; bad is false while it has not.
func (c *certificates) health(now time.Time) (f admin.Check, bad bool) {
	if c == nil || c.files == nil {
		return admin.Check{}, false
	}
	name, end := c.files.NotAfter()
	if now.Before(end) {
		return admin.Check{}, false
	}
	return admin.NewCheck(false, "the certificate of "+name+" ended on "+end.UTC().Format(time.DateOnly), end), true
}

func (g *gateway) newCertificates(gen *generation) (*certificates, error) {
	c := &certificates{log: logging.Component(g.log, "server"), notAfter: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "hubgate_tls_not_after_timestamp_seconds", Help: "When the certificate that is served ends.",
	}, []string{"name"})}
	g.registry.MustRegister(c.notAfter)
	cfg, err := gen.cfg.Server, error(nil)
	switch cfg.TLS.Mode {
	case "files":
		if c.files, err = certs.NewFiles(cfg.TLS.CertFile, cfg.TLS.KeyFile); err == nil {
			c.served(cfg)
		}
	case "acme":
		c.acme, err = certs.NewACME(certs.ACMEConfig{
			Email: cfg.TLS.ACME.Email, Directory: cfg.TLS.ACME.DirectoryURL, Agreed: cfg.TLS.ACME.Agree,
			TLSPort: config.PortOf(cfg.Listen), HTTPPort: config.PortOf(cfg.TLS.HTTPListen),
			Redis: g.redis.Queue, KeyPrefix: gen.cfg.Session.Redis.KeyPrefix, Ring: g.ring, Log: c.log, Served: c.note,
		})
	}
	if err != nil {
		return nil, err
	}
	return c, c.use(cfg)
}

// use makes the hosts and the files of a configuration the ones that are served.
func (c *certificates) use(cfg config.ServerConfig) error {
	switch {
	case c.acme != nil:
		c.notAfter.Reset()
		c.acme.SetHosts(cfg.HostNames())
	case c.files != nil:
		changed, err := c.files.Use(cfg.TLS.CertFile, cfg.TLS.KeyFile)
		if err != nil {
			return err
		}
		c.files.SetHosts(cfg.HostNames())
		if changed {
			c.served(cfg)
		}
	}
	return nil
}

func (c *certificates) note(name string, end time.Time) {
	c.notAfter.WithLabelValues(name).Set(float64(end.Unix()))
}

// served shows the certificate of the files, and says what visitors' browsers will not like about it.
func (c *certificates) served(cfg config.ServerConfig) {
	c.broken = ""
	c.notAfter.Reset()
	c.note(c.files.NotAfter())
	for _, p := range config.CertificateWarnings(c.files, cfg) {
		c.log.Warn("certificate", "problem", p.Text)
	}
}

// tls is the public listener's TLS; nil when somebody in front ends it.
func (c *certificates) tls() *tls.Config {
	switch {
	case c.files != nil:
		return c.files.TLS()
	case c.acme != nil:
		return c.acme.TLS()
	}
	return nil
}

// run obtains and renews certificates until ctx ends.
func (c *certificates) run(ctx context.Context) error {
	if c.acme == nil {
		<-ctx.Done()
		return nil
	}
	return c.acme.Run(ctx)
}

// reread reads certificate files that may have changed; a pair that does not fit leaves the last good one in place, and that is said once.
func (c *certificates) reread(cfg config.ServerConfig) {
	if c.files == nil {
		return
	}
	switch changed, err := c.files.Reload(); {
	case err != nil && err.Error() != c.broken:
		c.broken = err.Error()
		c.log.Error("certificate files not read again; the last good certificate goes on", "error", err)
	case err == nil && changed:
		c.broken = ""
		c.log.Info("certificate files read again")
		c.served(cfg)
	case err == nil && c.broken != "":
		c.broken = ""
		c.log.Info("certificate files can be read again")
	}
}

// plain is the handler of http_listen: challenges are answered, everything else goes to https of its own host.
func (c *certificates) plain(g *gateway) http.Handler {
	redirects := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gen := g.current.Load()
		facts := inbound.Of(gen.facts.Resolve(r))
		switch {
		case facts.Site != nil:
			middleware.Redirect(w, facts.Site, r)
		case facts.RedirectTo != nil:
			middleware.Redirect(w, facts.RedirectTo, r)
		default:
			gen.handler.ServeHTTP(w, r) // answers 421 or 400
		}
	})
	if c.acme == nil {
		return redirects
	}
	return c.acme.Challenges(redirects)
}
