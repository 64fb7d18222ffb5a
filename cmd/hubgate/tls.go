package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/certs"
	"github.com/hubgate/hubgate/internal/inbound"
)

// certificates is where the public listener's TLS comes from: nowhere, files, or an ACME authority.
type certificates struct {
	files    *certs.Files
	acme     *certs.ACME
	notAfter *prometheus.GaugeVec
}

func (g *gateway) newCertificates(cfg ServerConfig, keyPrefix string, sites []*inbound.Site) (*certificates, error) {
	c := &certificates{notAfter: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "hubgate_tls_not_after_timestamp_seconds", Help: "When the certificate that is served ends.",
	}, []string{"name"})}
	g.registry.MustRegister(c.notAfter)
	var err error
	switch cfg.TLS.Mode {
	case "files":
		if c.files, err = certs.NewFiles(cfg.TLS.CertFile, cfg.TLS.KeyFile); err != nil {
			return nil, err
		}
		c.note(c.files.NotAfter())
	case "acme":
		c.acme, err = certs.NewACME(certs.ACMEConfig{
			Hosts: hostNames(sites), Email: cfg.TLS.ACME.Email, Directory: cfg.TLS.ACME.DirectoryURL, Agreed: cfg.TLS.ACME.Agree,
			TLSPort: portOf(cfg.Listen), HTTPPort: portOf(cfg.TLS.HTTPListen),
			Redis: g.redis.Queue, KeyPrefix: keyPrefix, Ring: g.ring, Log: component(g.log, "server"), Obtained: c.note,
		})
	}
	return c, err
}

func (c *certificates) note(name string, end time.Time) {
	c.notAfter.WithLabelValues(name).Set(float64(end.Unix()))
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

// reload reads certificate files that may have changed; a pair that does not fit leaves the last good one in place.
func (c *certificates) reload(g *gateway) {
	if c.files == nil {
		return
	}
	log := component(g.log, "server")
	switch changed, err := c.files.Reload(); {
	case err != nil:
		log.Error("certificate files not read again; the last good certificate goes on", "error", err)
	case changed:
		c.note(c.files.NotAfter())
		log.Info("certificate files read again")
	}
}

// plain is the handler of http_listen: challenges are answered, everything else goes to https of its own host.
func (c *certificates) plain(g *gateway) http.Handler {
	redirects := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gen := g.current.Load()
		facts := inbound.Of(gen.facts.Resolve(r))
		switch {
		case facts.Site != nil:
			redirect(w, facts.Site, r)
		case facts.RedirectTo != nil:
			redirect(w, facts.RedirectTo, r)
		default:
			gen.handler.ServeHTTP(w, r) // answers 421 or 400
		}
	})
	if c.acme == nil {
		return redirects
	}
	return c.acme.Challenges(redirects)
}

// hsts tells browsers to come by https from now on; only over https, and only when the operator wants it.
func hsts(age time.Duration, next http.Handler) http.Handler {
	if age == 0 {
		return next
	}
	value := "max-age=" + strconv.Itoa(int(age.Seconds()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if inbound.Of(r).Scheme == "https" {
			w = &hstsWriter{ResponseWriter: w, value: value}
		}
		next.ServeHTTP(w, r)
	})
}

// hstsWriter sets the header last, so that the origin's own, which speaks of another host, does not stand beside it.
type hstsWriter struct {
	http.ResponseWriter
	value string
	sent  bool
}

func (w *hstsWriter) WriteHeader(status int) {
	if !w.sent && status >= 200 {
		w.sent = true
		w.Header().Set("Strict-Transport-Security", w.value)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *hstsWriter) Write(p []byte) (int, error) {
	if !w.sent {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap serves http.ResponseController.
func (w *hstsWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func hostNames(sites []*inbound.Site) []string {
	names := make([]string, len(sites))
	for i, site := range sites {
		names[i] = hostOnly(site.Host)
	}
	return names
}

// portOf is the port of a listen address; 0 when it has none.
func portOf(listen string) int {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(port)
	return n
}
