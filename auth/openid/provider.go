package openid

import (
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// Provider is the OpenID Provider that one configuration names. A reload keeps it while its configuration is the same.
// It makes no request until a login needs one.
type Provider struct {
	cfg            Config
	deps           Deps
	issuer         string
	documents      documents
	discovery      *discovery
	tokens         tokenEndpoint
	alarm          alarm
	crmClaims      crmClaims
	groupsReported atomic.Bool // the groups claim has a type that holds no groups, and that was logged
}

// Deps are the dependencies of a Provider.
type Deps struct {
	Client  *http.Client // bounded in time and bytes, follows no redirects
	Log     *slog.Logger
	Metrics *Metrics // may be nil
	Now     func() time.Time
}

// New returns the Provider of a valid configuration.
func New(cfg Config, deps Deps) (*Provider, error) {
	if deps.Client == nil || deps.Log == nil || deps.Now == nil {
		return nil, errors.New("auth: openid.New needs Client, Log and Now")
	}
	issuer := cfg.IssuerURL()
	if issuer == "" {
		return nil, errors.New("auth: no issuer configured")
	}
	docs := documents{deps.Client}
	return &Provider{
		cfg: cfg, deps: deps, issuer: issuer, documents: docs,
		discovery: &discovery{cfg: cfg, issuer: issuer, documents: docs, log: deps.Log, now: deps.Now},
		tokens:    tokenEndpoint{cfg, deps.Client, deps.Now},
		alarm:     alarm{log: deps.Log, now: deps.Now},
	}, nil
}

// Issuer returns the provider's issuer identifier, which is compared byte by byte.
func (p *Provider) Issuer() string { return p.issuer }

// ClientID returns the gateway's client_id at the provider.
func (p *Provider) ClientID() string { return p.cfg.ClientID }
