package doctor

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/clockskew"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/setting"
)

// doctor checks the systems of a configuration. Tests replace its access to the network.
type doctor struct {
	cfg     *config.Config
	log     *slog.Logger
	clock   clockskew.Clock
	lookup  lookupFunc
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	network http.RoundTripper // nil = the real one
	now     func() time.Time
}

func newDoctor(cfg *config.Config) *doctor {
	return &doctor{
		cfg: cfg, log: slog.New(slog.DiscardHandler), lookup: lookupHost, dial: (&net.Dialer{}).DialContext,
		now: time.Now,
	}
}

// timeout limits the checks of one system.
const timeout = 10 * time.Second

// Diagnose checks all systems at the same time. It returns the findings in the order of the configuration.
func Diagnose(ctx context.Context, cfg *config.Config) []setting.Finding {
	return newDoctor(cfg).diagnose(ctx)
}

func (d *doctor) diagnose(ctx context.Context) []setting.Finding {
	checks := []func(context.Context) []setting.Finding{
		d.checkSites, d.checkOrigin, d.checkProvider, d.checkRedis, d.checkHubSpot,
	}
	results := make([][]setting.Finding, len(checks))
	var group sync.WaitGroup
	for i, check := range checks {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			results[i] = check(ctx)
		})
	}
	group.Wait()
	var all []setting.Finding
	for _, findings := range results {
		all = append(all, findings...)
	}
	all = append(all, d.clock.Findings()...)
	for _, r := range d.cfg.Returns() {
		all = append(all, ok("register", "callback "+r.Callback+", logout "+r.SignedOut))
	}
	return all
}

// client returns a client of one dependency. It compares this machine's clock with the responses.
func (d *doctor) client(name dependency.Name) *http.Client {
	client := dependency.NewClient(dependency.ClientConfig{Name: name, Timeout: timeout, MaxBody: 32 << 20})
	if d.network != nil {
		client.Transport = d.network
	}
	client.Transport = &clockskew.Transport{Next: client.Transport, Clock: &d.clock, Now: d.now}
	return client
}

func (d *doctor) checkProvider(ctx context.Context) []setting.Finding {
	deps := openid.Deps{Client: d.client(dependency.IDP), Log: d.log, Now: d.now}
	p, err := openid.New(d.cfg.Auth.OpenID(), deps)
	if err != nil {
		return []setting.Finding{failed("provider", err.Error(), "", "")}
	}
	var all []setting.Finding
	for _, f := range p.Examine(ctx, d.cfg.Returns()) {
		f.Part = "provider: " + f.Part
		all = append(all, f)
	}
	return all
}
