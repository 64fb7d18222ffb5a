// Package auth logs visitors in and out: OpenID Connect, authorization code flow with PKCE, AWS Cognito first.
package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/setting"
)

// Provider is the OpenID provider as one configuration names it. It is kept across reloads while its block is the same. It asks the
// network nothing until somebody logs in; the discovery is then tried with back-off until it succeeds once.
type Provider struct {
	cfg    Config
	deps   ProviderDeps
	issuer string
	flight singleflight.Group

	mu    sync.Mutex
	found *endpoints
	fault error     // of the last discovery
	next  time.Time // of the next one
	wait  time.Duration
	// faultSince is when the discovery began to fail.
	faultSince time.Time

	alarm atomic.Pointer[alarm] // nil while the provider takes our settings
	told  errorLog

	groupsReported atomic.Bool // that the claim with the groups has a type that holds none
}

// ProviderDeps is what a Provider works with.
type ProviderDeps struct {
	Client  *http.Client // bounded in time and bytes, follows no redirects
	Log     *slog.Logger
	Metrics *Metrics
	Now     func() time.Time
}

// endpoints are where the provider is asked what.
type endpoints struct {
	Issuer     string   `json:"issuer"`
	Authorize  string   `json:"authorization_endpoint"`
	Token      string   `json:"token_endpoint"`
	Userinfo   string   `json:"userinfo_endpoint"`
	JWKS       string   `json:"jwks_uri"`
	Logout     string   `json:"end_session_endpoint"`
	Revoke     string   `json:"revocation_endpoint"`
	Algorithms []string `json:"id_token_signing_alg_values_supported"`
	Scopes     []string `json:"scopes_supported"`

	keys  *keySet
	since time.Time
}

// NewProvider makes a Provider of a valid configuration.
func NewProvider(cfg Config, deps ProviderDeps) (*Provider, error) {
	if deps.Client == nil || deps.Log == nil || deps.Now == nil {
		return nil, errors.New("auth: NewProvider needs Client, Log and Now")
	}
	p := &Provider{cfg: cfg, deps: deps, issuer: cfg.IssuerURL()}
	if p.issuer == "" {
		return nil, errors.New("auth: the configuration names no issuer")
	}
	return p, nil
}

// Issuer is the provider's name of itself, letter by letter.
func (p *Provider) Issuer() string { return p.issuer }

// ClientID is who the gateway is at the provider.
func (p *Provider) ClientID() string { return p.cfg.ClientID }

// Bounds of the discovery's back-off.
const (
	discoveryFirst = time.Second
	discoveryMost  = 30 * time.Second
)

// endpoints returns where to ask, from the configuration or by discovery. While the discovery fails it is tried again after a back-off;
// in between the last fault is returned at once.
func (p *Provider) endpoints(ctx context.Context) (*endpoints, error) {
	p.mu.Lock()
	found, fault, next := p.found, p.fault, p.next
	p.mu.Unlock()
	switch {
	case found != nil:
		return found, nil
	case fault != nil && p.deps.Now().Before(next):
		return nil, fault
	}
	return p.discovered(ctx)
}

// discovered asks for the discovery now. Callers at the same time share one request, which goes on when their visitors
// hang up.
func (p *Provider) discovered(ctx context.Context) (*endpoints, error) {
	done := p.flight.DoChan("discovery", func() (found any, err error) {
		defer recovered(&err)
		return p.discover(context.WithoutCancel(ctx))
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*endpoints), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// discoveryTime bounds one discovery.
const discoveryTime = 5 * time.Second

func (p *Provider) discover(ctx context.Context) (*endpoints, error) {
	ctx, cancel := context.WithTimeout(ctx, discoveryTime)
	defer cancel()
	e, err := p.fetchEndpoints(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.wait = min(discoveryMost, max(discoveryFirst, 2*p.wait))
		if p.fault == nil {
			p.faultSince = p.deps.Now()
		}
		p.fault, p.next = err, p.deps.Now().Add(p.wait)
		return nil, err
	}
	e.keys, e.since = p.newKeySet(e.JWKS), p.deps.Now()
	p.found, p.fault, p.wait = e, nil, 0
	p.deps.Log.InfoContext(ctx, "provider found", "issuer", p.issuer)
	return e, nil
}

func (p *Provider) fetchEndpoints(ctx context.Context) (*endpoints, error) {
	if c := p.cfg.Endpoints; c != (Endpoints{}) {
		return &endpoints{Issuer: p.issuer, Authorize: c.Authorize, Token: c.Token, Userinfo: c.Userinfo, JWKS: c.JWKS, Logout: c.Logout, Revoke: c.Revoke}, nil
	}
	address := strings.TrimSuffix(p.issuer, "/") + "/.well-known/openid-configuration"
	text, status, err := p.get(dependency.WithOp(ctx, dependency.OpDiscovery), address, "")
	if err != nil {
		return nil, fmt.Errorf("auth: discovery at %s: %w", address, err)
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("auth: discovery at %s answers %d: is the issuer right?", address, status)
	}
	var e endpoints
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("auth: discovery at %s is no JSON document: %w", address, err)
	}
	return &e, p.judge(&e)
}

// judge refuses a document that lies or cannot work: another issuer (RP-17), endpoints in the clear (RP-18), a pool without a domain.
func (p *Provider) judge(e *endpoints) error {
	if e.Issuer != p.issuer {
		return fmt.Errorf("auth: the provider calls itself %q, the configuration %q: they must be the same letter by letter", clip(e.Issuer), p.issuer)
	}
	for name, address := range map[string]string{"authorization_endpoint": e.Authorize, "token_endpoint": e.Token, "jwks_uri": e.JWKS} {
		if !safeEndpoint(address) {
			return fmt.Errorf("auth: the provider's %s %q is no https address", name, clip(address))
		}
	}
	for _, optional := range []*string{&e.Userinfo, &e.Logout, &e.Revoke} {
		if !safeEndpoint(*optional) {
			*optional = ""
		}
	}
	if isCognitoHost(p.issuer) && hostOf(e.Token) == hostOf(p.issuer) {
		return errors.New("auth: the user pool has no domain, so nobody can log in: add one in the console, App integration, Domain")
	}
	return nil
}

// maxDocument bounds what is read of one of the provider's documents.
const maxDocument = 1 << 20

// get reads one document, past any cache: keys that were replaced are asked for at once. The client bounds its time.
func (p *Provider) get(ctx context.Context, address, bearer string) (text []byte, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Cache-Control", "no-cache")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := p.deps.Client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	text, err = io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if len(text) > maxDocument {
		err = dependency.ErrTooLarge
	}
	return trimBOM(text), res.StatusCode, err
}

// oauth makes the authorize URL; the token endpoint is asked by requestToken.
func (p *Provider) oauth(e *endpoints, redirectURI string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, RedirectURL: redirectURI, Scopes: p.cfg.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: e.Authorize},
	}
}

// algorithms are the signatures that are believed: RS256 for Cognito, else what the provider offers of the asymmetric ones. Never none,
// never a MAC under the client secret (RP-07).
func (p *Provider) algorithms(e *endpoints) []string {
	if p.cfg.cognito() {
		return []string{oidc.RS256}
	}
	var all []string
	for _, alg := range e.Algorithms {
		if slices.Contains(asymmetric(), alg) {
			all = append(all, alg)
		}
	}
	if len(all) == 0 {
		return []string{oidc.RS256}
	}
	return all
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func clip(text string) string {
	return setting.Truncate(text, 200)
}
