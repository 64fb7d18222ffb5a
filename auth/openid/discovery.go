package openid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/dependency"
)

// metadata is the provider's metadata (OpenID Connect Discovery 1.0, section 3).
type metadata struct {
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

// discovery finds the provider's metadata once. Until that succeeds it is retried with back-off.
type discovery struct {
	cfg       Config
	issuer    string
	documents documents
	log       *slog.Logger
	now       func() time.Time
	flight    singleflight.Group

	mu           sync.Mutex
	found        *metadata
	lastErr      error     // of the last attempt
	failingSince time.Time // when attempts began to fail
	nextAttempt  time.Time // when the next attempt may begin
	backoff      time.Duration
}

const (
	discoveryTime = 5 * time.Second // bounds one attempt
	firstBackoff  = time.Second
	maxBackoff    = 30 * time.Second
)

// metadata returns the provider's metadata, from the configuration or by discovery. During a back-off it returns the
// last error at once.
func (d *discovery) metadata(ctx context.Context) (*metadata, error) {
	d.mu.Lock()
	found, lastErr, next := d.found, d.lastErr, d.nextAttempt
	d.mu.Unlock()
	switch {
	case found != nil:
		return found, nil
	case lastErr != nil && d.now().Before(next):
		return nil, lastErr
	}
	return d.discover(ctx)
}

// known returns the metadata if it has been discovered, and nil otherwise.
func (d *discovery) known() *metadata {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.found
}

// health reports whether discovery works, as far as it was tried.
func (d *discovery) health() (ok bool, detail string, since time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.found != nil:
		return true, "answers", d.found.since
	case d.lastErr != nil:
		return false, d.lastErr.Error(), d.failingSince
	}
	return true, "not asked yet", time.Time{}
}

// discover runs one attempt now. Concurrent callers share it, and it continues when their requests are canceled.
func (d *discovery) discover(ctx context.Context) (*metadata, error) {
	done := d.flight.DoChan("discovery", func() (found any, err error) {
		defer background.Recover(&err)
		return d.attempt(context.WithoutCancel(ctx))
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*metadata), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (d *discovery) attempt(ctx context.Context) (*metadata, error) {
	ctx, cancel := context.WithTimeout(ctx, discoveryTime)
	defer cancel()
	m, err := d.fetch(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.backoff = min(maxBackoff, max(firstBackoff, 2*d.backoff))
		if d.lastErr == nil {
			d.failingSince = d.now()
		}
		d.lastErr, d.nextAttempt = err, d.now().Add(d.backoff)
		return nil, err
	}
	m.keys, m.since = newKeySet(d.documents, m.JWKS, d.log, d.now), d.now()
	d.found, d.lastErr, d.backoff = m, nil, 0
	d.log.InfoContext(ctx, "provider found", "issuer", d.issuer)
	return m, nil
}

// fetch returns the configured endpoints, or reads the discovery document.
func (d *discovery) fetch(ctx context.Context) (*metadata, error) {
	if c := d.cfg.Endpoints; c != (Endpoints{}) {
		return &metadata{
			Issuer: d.issuer, Authorize: c.Authorize, Token: c.Token, Userinfo: c.Userinfo, JWKS: c.JWKS,
			Logout: c.Logout, Revoke: c.Revoke,
		}, nil
	}
	address := d.address()
	text, status, err := d.documents.get(dependency.WithOp(ctx, dependency.OpDiscovery), address, "")
	if err != nil {
		return nil, fmt.Errorf("auth: discovery at %s: %w", address, err)
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("auth: discovery at %s: status %d; check the issuer", address, status)
	}
	var m metadata
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("auth: discovery at %s: not a JSON document: %w", address, err)
	}
	return &m, d.check(&m)
}

// address returns the URL of the discovery document.
func (d *discovery) address() string {
	return strings.TrimSuffix(d.issuer, "/") + "/.well-known/openid-configuration"
}

var errNoDomain = errors.New("auth: the user pool has no domain, so nobody can log in; " +
	"add one in the console: Branding, Domain")

// check rejects metadata of another issuer (impersonation, OpenID Connect Discovery 1.0, section 4.3), endpoints
// without TLS (CWE-319), and a user pool without a domain.
func (d *discovery) check(m *metadata) error {
	if m.Issuer != d.issuer {
		return fmt.Errorf("auth: issuer mismatch: provider %q, configuration %q", clip(m.Issuer), d.issuer)
	}
	for _, required := range []struct{ name, address string }{
		{"authorization_endpoint", m.Authorize}, {"token_endpoint", m.Token}, {"jwks_uri", m.JWKS},
	} {
		if !safeEndpoint(required.address) {
			return fmt.Errorf("auth: the provider's %s %q is not an https URL", required.name, clip(required.address))
		}
	}
	for _, optional := range []*string{&m.Userinfo, &m.Logout, &m.Revoke} {
		if !safeEndpoint(*optional) {
			*optional = ""
		}
	}
	if isCognitoHost(d.issuer) && hostOf(m.Token) == hostOf(d.issuer) {
		return errNoDomain
	}
	return nil
}
