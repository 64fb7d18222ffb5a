package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/hubgate/hubgate/internal/seal"
)

// ACMEConfig configures an ACME.
type ACMEConfig struct {
	Email     string         // where the authority sends notices
	Directory string         // the authority's directory URL; "" = Let's Encrypt
	Agreed    bool           // the operator agrees to the authority's terms
	Roots     *x509.CertPool // trusted for the authority's own server; nil = the system's
	// TLSPort is the port of the public listener, which answers the TLS-ALPN challenge; HTTPPort is the port that
	// answers the HTTP challenge. 0 means the challenge's own port.
	TLSPort, HTTPPort int

	Redis     redis.UniversalClient
	KeyPrefix string
	Ring      *seal.Ring
	Log       *slog.Logger
	// Served is called for each certificate that is served from now on.
	Served func(name string, notAfter time.Time)
	// RenewEvery is how often certificates are checked for renewal; 0 means every ten minutes.
	RenewEvery time.Duration
}

// ACME obtains and renews certificates. However many replicas there are, one of them orders a certificate: the others
// wait for the lock in the store and then find the certificate there. Run obtains missing certificates; cache renews
// the others in a goroutine of its own, which NewACME starts and Run stops.
type ACME struct {
	cfg   ACMEConfig
	hosts hosts
	again chan struct{}   // the hosts have changed
	asked map[string]bool // hosts whose certificate certmagic was told to order
	down  bool            // the store cannot be read, which is logged already

	failing sync.Map // names without a certificate whose failure is logged already
	cache   *certmagic.Cache
	magic   *certmagic.Config
	issuer  *certmagic.ACMEIssuer
}

// NewACME returns an ACME. It makes no network calls before Run.
func NewACME(cfg ACMEConfig) (*ACME, error) {
	if !cfg.Agreed {
		return nil, fmt.Errorf("certs: acme: the authority's terms are not agreed to")
	}
	a := &ACME{cfg: cfg, again: make(chan struct{}, 1), asked: map[string]bool{}}
	quiet := zap.NewNop() // certmagic reports through events
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		RenewCheckInterval: cfg.RenewEvery,
		Logger:             quiet,
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		Storage: newStore(cfg.Redis, cfg.KeyPrefix, cfg.Ring), Logger: quiet, OnEvent: a.event,
	})
	a.issuer = certmagic.NewACMEIssuer(a.magic, certmagic.ACMEIssuer{
		CA: cfg.Directory, Email: cfg.Email, Agreed: cfg.Agreed, TrustedRoots: cfg.Roots, Logger: quiet,
		AltTLSALPNPort: cfg.TLSPort, AltHTTPPort: cfg.HTTPPort,
	})
	a.magic.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

// SetHosts sets the hosts, without ports, that get certificates. It may be called at any time.
func (a *ACME) SetHosts(names []string) {
	var gone []certmagic.SubjectIssuer
	was := a.hosts.all()
	a.hosts.set(names)
	for _, name := range was {
		if !a.hosts.has(name) {
			gone = append(gone, certmagic.SubjectIssuer{Subject: name})
		}
	}
	a.cache.RemoveManaged(gone)
	a.reportServed()
	select {
	case a.again <- struct{}{}:
	default:
	}
}

// storeRetry is how often the store is searched for missing certificates.
const storeRetry = 5 * time.Second

// Run obtains missing certificates until ctx ends, and then stops the renewal of the others. certmagic retries after
// failures of the authority, with back-off. Run retries after failures of the store, because certmagic does not. After
// a panic the renewals go on, and Run may be called again.
func (a *ACME) Run(ctx context.Context) error {
	tick := time.NewTicker(storeRetry)
	defer tick.Stop()
	for {
		a.manage(ctx)
		select {
		case <-ctx.Done():
			a.cache.Stop()
			return nil
		case <-tick.C:
		case <-a.again:
		}
	}
}

// manage loads certificates from the store, renews expired ones, and orders missing ones.
func (a *ACME) manage(ctx context.Context) {
	loaded, unreadable := false, false
	for _, host := range a.hosts.all() {
		if len(a.cache.AllMatchingCertificates(host)) > 0 {
			continue
		}
		switch _, err := a.magic.CacheManagedCertificate(ctx, host); {
		case err == nil:
			loaded = true
		case errors.Is(err, fs.ErrNotExist):
			a.order(ctx, host)
		case ctx.Err() == nil:
			unreadable = true
			a.logUnreadable(err)
		}
	}
	if a.down && !unreadable && ctx.Err() == nil {
		a.down = false
		a.cfg.Log.Info("certificates are read from Redis again")
	}
	if loaded {
		_ = a.cache.RenewManagedCertificates(ctx) // its failures are reported as events
	}
}

// logUnreadable logs once per outage that the store cannot be read.
func (a *ACME) logUnreadable(err error) {
	if !a.down {
		a.cfg.Log.Error("cannot read certificates from Redis, retrying", "error", err)
	}
	a.down = true
}

// order passes a host to certmagic, once: certmagic retries until it has a certificate.
func (a *ACME) order(ctx context.Context, host string) {
	if a.asked[host] {
		return
	}
	a.asked[host] = true
	_ = a.magic.ManageAsync(ctx, []string{host})
}

// TLS returns the listener's configuration: TLS 1.2 or newer, HTTP/2 first, and the TLS-ALPN challenge. A client that
// asks for another host gets no certificate, and none is ordered for it.
func (a *ACME) TLS() *tls.Config {
	c := a.magic.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	c.NextProtos = append([]string{"h2", "http/1.1"}, c.NextProtos...)
	find := c.GetCertificate
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		names := a.hosts.all()
		switch {
		case hello.ServerName == "" && len(names) > 0:
			hello.ServerName = names[0] // such as a health check
		case !a.hosts.has(hello.ServerName):
			return nil, nil // sends the alert unrecognized_name
		}
		return find(hello)
	}
	return c
}

// Challenges answers the authority's HTTP challenges, on every replica, and passes other requests to next.
func (a *ACME) Challenges(next http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(next) }

func (a *ACME) event(ctx context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	switch event {
	case "cert_obtained":
		a.failing.Delete(name)
		a.cfg.Log.Info("certificate obtained", "name", name, "renewal", data["renewal"])
	case "cert_failed":
		level := slog.LevelError
		if _, known := a.failing.LoadOrStore(name, true); known { // logged already
			level = slog.LevelDebug
		}
		a.cfg.Log.Log(ctx, level, "could not obtain a certificate, retrying", "name", name, "error", data["error"])
	case "cached_managed_cert":
		a.reportServed()
	}
	return nil
}

// reportServed reports when the newest certificate of each host expires.
func (a *ACME) reportServed() {
	for _, host := range a.hosts.all() {
		var end time.Time
		for _, cert := range a.cache.AllMatchingCertificates(host) {
			if cert.Leaf != nil && cert.Leaf.NotAfter.After(end) {
				end = cert.Leaf.NotAfter
			}
		}
		if !end.IsZero() {
			a.cfg.Served(host, end)
		}
	}
}
