package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/dependency"
)

const (
	probeEvery     = 30 * time.Second // while a dependency is available
	firstSiteProbe = 5 * time.Second  // after the start, when many replicas may start at once
)

// probesConfig holds the dependencies of probes.
type probesConfig struct {
	current *atomic.Pointer[generation]
	api     *http.Client
	metrics *dependency.Metrics
	log     *slog.Logger
	refusal func() error // returns why HubSpot rejects the access token, or nil
}

// probes check in the background whether the dependencies are available. Redis has its own probe, at its circuit
// breaker.
type probes struct {
	probesConfig
	idp, site, hubspot *dependency.Prober
}

// newProbes creates the probes. HubSpot's API is checked only when a call contradicts its last known state.
func newProbes(cfg probesConfig) *probes {
	p := &probes{probesConfig: cfg}
	prober := func(cfg dependency.ProbeConfig) *dependency.Prober {
		cfg.Metrics, cfg.Log = p.metrics, p.log
		return dependency.NewProber(cfg)
	}
	p.idp = prober(dependency.ProbeConfig{Name: dependency.IDP, Every: probeEvery, Ask: p.checkProvider})
	p.site = prober(dependency.ProbeConfig{
		Name: dependency.HubSpotSite, First: firstSiteProbe, Every: probeEvery, Ask: p.checkSite,
	})
	p.hubspot = prober(dependency.ProbeConfig{Name: dependency.HubSpotAPI, Ask: p.checkAPI})
	return p
}

func (p *probes) all() []*dependency.Prober { return []*dependency.Prober{p.idp, p.site, p.hubspot} }

// configChanged starts probes, because a new configuration may name another provider or origin.
func (p *probes) configChanged() {
	p.idp.Suspect()
	p.site.Suspect()
}

func (p *probes) checkProvider(ctx context.Context) error {
	return p.current.Load().provider.Probe(ctx)
}

// validationFile is the file by which HubSpot checks a reverse proxy. It is small, and every site has it.
const validationFile = "/hubfs/hs-reverse-proxy-validation-test"

// checkSite requests the validation file of the first public host. Every status below 500 means that the origin is
// available: with 404 it does not know the host, which check --live explains; with a challenge (403) or 429 it limits
// this machine's address.
func (p *probes) checkSite(ctx context.Context) error {
	gen := p.current.Load()
	address := strings.TrimSuffix(gen.cfg.Proxy.Origin, "/") + validationFile
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-Hs-Public-Host", gen.sites[0].Host)
	req.Header.Set("X-Hubspot-Trust-Forwarded-For", "true")
	if gen.cfg.Proxy.OriginHost != "" {
		req.Host = gen.cfg.Proxy.OriginHost
	}
	return below500(gen.origin.probe.RoundTrip(req))
}

// checkAPI sends a request without a token to HubSpot's API, so that it does not count toward a rate limit. Every
// status below 500 means that the API is available, unless HubSpot rejects the token in calls of the contact sync.
func (p *probes) checkAPI(ctx context.Context) error {
	cfg := p.current.Load().cfg.HubSpot
	if cfg.AccessToken == "" {
		return nil // contact sync is off
	}
	if err := p.refusal(); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, cfg.APIURL, nil)
	if err != nil {
		return err
	}
	return below500(p.api.Do(req))
}

func below500(res *http.Response, err error) error {
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("answers %s", res.Status)
	}
	return nil
}
