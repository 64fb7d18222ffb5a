package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/logging"
)

// probes ask in the background whether the dependencies answer. Redis has one of its own, at its circuit breaker.
type probes struct{ idp, site, api *dependency.Prober }

const (
	dependencyEvery = 30 * time.Second // between two probes of a dependency that answers
	siteFirst       = 5 * time.Second  // many replicas that start at once leave the site to their visitors first
)

// newProbes makes the probes. HubSpot's API is asked only when a call of the contact sync seems to contradict what is
// known: the sync itself is what uses it.
func (g *gateway) newProbes() probes {
	prober := func(cfg dependency.ProbeConfig) *dependency.Prober {
		cfg.Metrics, cfg.Log = g.dependencies, logging.Component(g.log, "server")
		return dependency.NewProber(cfg)
	}
	probeProvider := func(ctx context.Context) error { return g.current.Load().provider.Probe(ctx) }
	return probes{
		idp: prober(dependency.ProbeConfig{Name: dependency.IDP, Every: dependencyEvery, Ask: probeProvider}),
		site: prober(dependency.ProbeConfig{
			Name: dependency.HubSpotSite, First: siteFirst, Every: dependencyEvery, Ask: g.probeSite,
		}),
		api: prober(dependency.ProbeConfig{Name: dependency.HubSpotAPI, Ask: g.probeAPI}),
	}
}

func (p probes) run(ctx context.Context, group *errgroup.Group) {
	for _, each := range []*dependency.Prober{p.idp, p.site, p.api} {
		group.Go(func() error { each.Run(ctx); return nil })
	}
}

// suspect asks again soon: another configuration may name another provider or origin.
func (p probes) suspect() {
	p.idp.Suspect()
	p.site.Suspect()
}

// validationFile is the file by which HubSpot checks a reverse proxy: each of its sites has it, and it is small.
const validationFile = "/hubfs/hs-reverse-proxy-validation-test"

// probeSite asks the origin for the validation file of the first public host. Every answer below 500 means that it
// works: 404 that it does not know the host, which check --live explains; 403 with a challenge, or 429, that it limits
// this machine's address.
func (g *gateway) probeSite(ctx context.Context) error {
	gen := g.current.Load()
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
	return answered(gen.origin.probe.RoundTrip(req))
}

// probeAPI asks HubSpot's API without a token: any answer below 500 means that it works, and nobody's rate limit is
// spent.
func (g *gateway) probeAPI(ctx context.Context) error {
	cfg := g.current.Load().cfg.HubSpot
	if cfg.AccessToken == "" {
		return nil // contact sync is off
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, cfg.APIURL, nil)
	if err != nil {
		return err
	}
	return answered(g.apiProbe.Do(req))
}

func answered(res *http.Response, err error) error {
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("answers %s", res.Status)
	}
	return nil
}
