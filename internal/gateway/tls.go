package gateway

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/certs"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/middleware"
	"github.com/hubgate/hubgate/internal/seal"
)

// certificates are the certificates of the public listener: from files, from an ACME authority, or none.
type certificates struct {
	log       *slog.Logger
	files     *certs.Files
	acme      *certs.ACME
	lastError string // of the last reload of the files; "" if it succeeded
	notAfter  *prometheus.GaugeVec
}

// certificateDeps are the dependencies of certificates.
type certificateDeps struct {
	log      *slog.Logger
	registry prometheus.Registerer
	redis    redis.UniversalClient
	ring     *seal.Ring
}

func newCertificates(cfg *config.Config, deps certificateDeps) (*certificates, error) {
	c := &certificates{log: deps.log, notAfter: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "hubgate_tls_not_after_timestamp_seconds", Help: "When the served certificate expires.",
	}, []string{"name"})}
	deps.registry.MustRegister(c.notAfter)
	server, err := cfg.Server, error(nil)
	switch server.TLS.Mode {
	case "files":
		if c.files, err = certs.NewFiles(server.TLS.CertFile, server.TLS.KeyFile); err == nil {
			c.loaded(server)
		}
	case "acme":
		c.acme, err = certs.NewACME(certs.ACMEConfig{
			Email: server.TLS.ACME.Email, Directory: server.TLS.ACME.DirectoryURL, Agreed: server.TLS.ACME.Agree,
			TLSPort: config.PortOf(server.Listen), HTTPPort: config.PortOf(server.TLS.HTTPListen),
			Redis: deps.redis, KeyPrefix: cfg.Session.Redis.KeyPrefix, Ring: deps.ring, Log: c.log,
			Served: c.setNotAfter,
		})
	}
	if err != nil {
		return nil, err
	}
	return c, c.apply(server)
}

// apply uses the hosts and the files of a configuration.
func (c *certificates) apply(cfg config.ServerConfig) error {
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
			c.loaded(cfg)
		}
	}
	return nil
}

// loaded updates the metric after the files were read, and logs what browsers would reject.
func (c *certificates) loaded(cfg config.ServerConfig) {
	c.lastError = ""
	c.notAfter.Reset()
	c.setNotAfter(c.files.NotAfter())
	for _, p := range config.CertificateWarnings(c.files, cfg) {
		c.log.Warn("certificate", "problem", p.Text)
	}
}

func (c *certificates) setNotAfter(name string, end time.Time) {
	c.notAfter.WithLabelValues(name).Set(float64(end.Unix()))
}

// reload reads the files if they changed. If certificate and key do not match, it keeps the last good pair; the same
// error is logged once.
func (c *certificates) reload(cfg config.ServerConfig) {
	if c.files == nil {
		return
	}
	switch changed, err := c.files.Reload(); {
	case err != nil && err.Error() != c.lastError:
		c.lastError = err.Error()
		c.log.Error("certificate files not reloaded; keeping the last good certificate", "error", err)
	case err == nil && changed:
		c.log.Info("certificate files reloaded")
		c.loaded(cfg)
	case err == nil && c.lastError != "":
		c.lastError = ""
		c.log.Info("certificate files can be read again")
	}
}

// run obtains and renews certificates until ctx ends.
func (c *certificates) run(ctx context.Context) error {
	if c.acme == nil {
		<-ctx.Done()
		return nil
	}
	return c.acme.Run(ctx)
}

// health returns a failed check if a certificate file expired.
func (c *certificates) health(now time.Time) (failed admin.Check, ok bool) {
	if c == nil || c.files == nil {
		return admin.Check{}, true
	}
	name, end := c.files.NotAfter()
	if now.Before(end) {
		return admin.Check{}, true
	}
	detail := "the certificate of " + name + " expired on " + end.UTC().Format(time.DateOnly)
	return admin.NewCheck(false, detail, end), false
}

// tlsConfig returns the TLS configuration of the public listener; nil if a load balancer terminates TLS.
func (c *certificates) tlsConfig() *tls.Config {
	switch {
	case c.files != nil:
		return c.files.TLS()
	case c.acme != nil:
		return c.acme.TLS()
	}
	return nil
}

// plainHandler returns the handler of http_listen: it answers ACME challenges and health checks and redirects
// everything else to https.
func (c *certificates) plainHandler(current *atomic.Pointer[generation]) http.Handler {
	redirects := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gen := current.Load()
		if gen.health.Answer(w, r) {
			return
		}
		facts := inbound.Of(gen.facts.Resolve(r))
		switch {
		case facts.Site != nil:
			middleware.Redirect(w, facts.Site, r)
		case facts.RedirectTo != nil:
			middleware.Redirect(w, facts.RedirectTo, r)
		default:
			gen.handler.ServeHTTP(w, r) // responds with 421 or 400
		}
	})
	if c.acme == nil {
		return redirects
	}
	return c.acme.Challenges(redirects)
}
