package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/hubgate/hubgate/internal/seal"
)

// ACMEConfig is what obtaining certificates needs.
type ACMEConfig struct {
	Hosts     []string       // the public hosts, without ports
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
	// Obtained is told each certificate that is served from now on.
	Obtained func(name string, notAfter time.Time)
}

// ACME obtains and renews certificates. One order is made for any number of replicas: the others wait for the lock and find the
// certificate in the store.
type ACME struct {
	cfg    ACMEConfig
	cache  *certmagic.Cache
	magic  *certmagic.Config
	issuer *certmagic.ACMEIssuer
}

// NewACME makes the manager; Run obtains.
func NewACME(cfg ACMEConfig) (*ACME, error) {
	if !cfg.Agreed {
		return nil, fmt.Errorf("certs: acme: the authority's terms are not agreed to")
	}
	a := &ACME{cfg: cfg}
	quiet := zap.NewNop() // certmagic tells through events what we want to know
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		Logger:           quiet,
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{Storage: newStore(cfg.Redis, cfg.KeyPrefix, cfg.Ring), Logger: quiet, OnEvent: a.event})
	a.issuer = certmagic.NewACMEIssuer(a.magic, certmagic.ACMEIssuer{
		CA: cfg.Directory, Email: cfg.Email, Agreed: cfg.Agreed, TrustedRoots: cfg.Roots, Logger: quiet,
		AltTLSALPNPort: cfg.TLSPort, AltHTTPPort: cfg.HTTPPort,
	})
	a.magic.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

// Run obtains what is missing and renews in time until ctx ends. Faults are retried by certmagic with back-off.
func (a *ACME) Run(ctx context.Context) error {
	defer a.cache.Stop()
	if err := a.magic.ManageAsync(ctx, a.cfg.Hosts); err != nil {
		a.cfg.Log.Error("certificates cannot be managed", "error", err)
	}
	<-ctx.Done()
	return nil
}

// TLS is the listener's configuration: TLS 1.2 or newer, HTTP/2 first, and the TLS-ALPN challenge.
func (a *ACME) TLS() *tls.Config {
	c := a.magic.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	c.NextProtos = append([]string{"h2", "http/1.1"}, c.NextProtos...)
	return c
}

// Challenges answers the authority's HTTP challenges, whichever replica they reach, and hands everything else on.
func (a *ACME) Challenges(next http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(next) }

func (a *ACME) event(ctx context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	switch event {
	case "cert_obtained":
		a.cfg.Log.Info("certificate obtained", "name", name, "renewal", data["renewal"])
		a.note(ctx, name)
	case "cert_failed":
		a.cfg.Log.Error("certificate not obtained; it is tried again", "name", name, "error", data["error"])
	case "cached_managed_cert":
		a.note(ctx, name)
	}
	return nil
}

func (a *ACME) note(ctx context.Context, _ string) {
	if a.cfg.Obtained == nil {
		return
	}
	for _, host := range a.cfg.Hosts {
		for _, cert := range a.cache.AllMatchingCertificates(host) {
			if cert.Leaf != nil {
				a.cfg.Obtained(host, cert.Leaf.NotAfter)
			}
		}
	}
}
