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

// ACMEConfig is what obtaining certificates needs.
type ACMEConfig struct {
	Email     string         // where the authority writes to
	Directory string         // the authority's directory URL; "" = Let's Encrypt
	Agreed    bool           // the operator agrees to the authority's terms
	Roots     *x509.CertPool // whom to trust as the authority's own server; nil = the system's
	// TLSPort is where the public listener really is, for the TLS-ALPN challenge; HTTPPort likewise for the HTTP challenge. 0 = the
	// challenge's own port.
	TLSPort, HTTPPort int

	Redis     redis.UniversalClient
	KeyPrefix string
	Ring      *seal.Ring
	Log       *slog.Logger
	// Served is told each certificate that is served from now on.
	Served func(name string, notAfter time.Time)
	// RenewEvery is how often it is looked whether a certificate is to be renewed; 0 = every ten minutes.
	RenewEvery time.Duration
}

// ACME obtains and renews certificates. One order is made for any number of replicas: the others wait for the lock and find the
// certificate in the store.
type ACME struct {
	cfg   ACMEConfig
	hosts hosts
	again chan struct{} // the hosts have changed
	asked map[string]bool
	told  bool // that the store cannot be read

	failing sync.Map // names for which there is no certificate yet, as the log says already
	cache   *certmagic.Cache
	magic   *certmagic.Config
	issuer  *certmagic.ACMEIssuer
}

// NewACME makes the manager; Run obtains.
func NewACME(cfg ACMEConfig) (*ACME, error) {
	if !cfg.Agreed {
		return nil, fmt.Errorf("certs: acme: the authority's terms are not agreed to")
	}
	a := &ACME{cfg: cfg, again: make(chan struct{}, 1), asked: map[string]bool{}}
	quiet := zap.NewNop() // certmagic tells through events what we want to know
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		RenewCheckInterval: cfg.RenewEvery,
		Logger:             quiet,
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{Storage: newStore(cfg.Redis, cfg.KeyPrefix, cfg.Ring), Logger: quiet, OnEvent: a.event})
	a.issuer = certmagic.NewACMEIssuer(a.magic, certmagic.ACMEIssuer{
		CA: cfg.Directory, Email: cfg.Email, Agreed: cfg.Agreed, TrustedRoots: cfg.Roots, Logger: quiet,
		AltTLSALPNPort: cfg.TLSPort, AltHTTPPort: cfg.HTTPPort,
	})
	a.magic.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

// SetHosts says for which hosts there are certificates, without ports. It may be called again at any time.
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
	a.note()
	select {
	case a.again <- struct{}{}:
	default:
	}
}

// storeRetry is how often the store is looked into for what is missing.
const storeRetry = 5 * time.Second

// Run obtains what is missing and renews in time until ctx ends. The authority's faults are retried by certmagic with back-off, the
// store's by Run: what certmagic cannot read at first, it forgets.
func (a *ACME) Run(ctx context.Context) error {
	defer a.cache.Stop()
	tick := time.NewTicker(storeRetry)
	defer tick.Stop()
	for {
		a.manage(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-a.again:
		}
	}
}

// manage loads what the store has, renews what has ended meanwhile, and orders what nobody has.
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
			a.storeFails(err)
		}
	}
	if a.told && !unreadable && ctx.Err() == nil {
		a.told = false
		a.cfg.Log.Info("certificates are read from Redis again")
	}
	if loaded {
		_ = a.cache.RenewManagedCertificates(ctx) // its faults are told as events
	}
}

// storeFails logs that the store cannot be read, once until it can.
func (a *ACME) storeFails(err error) {
	if !a.told {
		a.cfg.Log.Error("cannot read certificates from Redis, retrying", "error", err)
	}
	a.told = true
}

// order hands a host over to certmagic, once: it goes on until it has a certificate.
func (a *ACME) order(ctx context.Context, host string) {
	if a.asked[host] {
		return
	}
	a.asked[host] = true
	_ = a.magic.ManageAsync(ctx, []string{host})
}

// TLS is the listener's configuration: TLS 1.2 or newer, HTTP/2 first, and the TLS-ALPN challenge. Who asks for a host that is not
// served here gets no certificate, and none is ordered for it.
func (a *ACME) TLS() *tls.Config {
	c := a.magic.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	c.NextProtos = append([]string{"h2", "http/1.1"}, c.NextProtos...)
	find := c.GetCertificate
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		names := a.hosts.all()
		switch {
		case hello.ServerName == "" && len(names) > 0:
			hello.ServerName = names[0] // a health check, say
		case !a.hosts.has(hello.ServerName):
			return nil, nil // the alert unrecognized_name
		}
		return find(hello)
	}
	return c
}

// Challenges answers the authority's HTTP challenges, whichever replica they reach, and hands everything else on.
func (a *ACME) Challenges(next http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(next) }

func (a *ACME) event(ctx context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	switch event {
	case "cert_obtained":
		a.failing.Delete(name)
		a.cfg.Log.Info("certificate obtained", "name", name, "renewal", data["renewal"])
	case "cert_failed":
		level := slog.LevelError
		if _, known := a.failing.LoadOrStore(name, true); known { // each try fails: once is enough
			level = slog.LevelDebug
		}
		a.cfg.Log.Log(ctx, level, "could not obtain a certificate, retrying", "name", name, "error", data["error"])
	case "cached_managed_cert":
		a.note()
	}
	return nil
}

// note tells until when each host's certificate is good: the newest, while an older one is still there.
func (a *ACME) note() {
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
