package doctor

import (
	"context"
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

// doctor asks every part that the configuration names, each within a time limit. What it asks with are seams for tests.
type doctor struct {
	cfg     *config.Config
	clock   clockskew.Clock
	lookup  lookupFunc
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	network http.RoundTripper // nil = the real one
	now     func() time.Time
}

func New(cfg *config.Config) *doctor {
	return &doctor{cfg: cfg, lookup: lookupHost, dial: (&net.Dialer{}).DialContext, now: time.Now}
}

const doctorTime = 10 * time.Second

// Diagnose asks all parts at once and tells what they said, in the order of the file.
func (d *doctor) Diagnose(ctx context.Context) []setting.Finding {
	asks := []func(context.Context) []setting.Finding{d.askSites, d.askOrigin, d.askProvider, d.askRedis, d.askHubSpot}
	answers := make([][]setting.Finding, len(asks))
	var group sync.WaitGroup
	for i, ask := range asks {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, doctorTime)
			defer cancel()
			answers[i] = ask(ctx)
		})
	}
	group.Wait()
	var all []setting.Finding
	for _, answer := range answers {
		all = append(all, answer...)
	}
	all = append(all, d.clock.Findings()...)
	for _, r := range d.cfg.Returns() {
		all = append(all, setting.Finding{Part: "register", Status: setting.OK, Detail: "callback " + r.Callback + ", logout " + r.SignedOut})
	}
	return all
}

// client asks one dependency, and listens to the clock in its answers.
func (d *doctor) client(name dependency.Name) *http.Client {
	client := dependency.NewClient(dependency.ClientConfig{Name: name, Timeout: doctorTime, MaxBody: 32 << 20})
	if d.network != nil {
		client.Transport = d.network
	}
	client.Transport = &clockskew.Transport{Next: client.Transport, Clock: &d.clock, Now: d.now}
	return client
}

func (d *doctor) askProvider(ctx context.Context) []setting.Finding {
	p, err := openid.New(d.cfg.Auth.OpenID(), openid.Deps{Client: d.client(dependency.IDP), Log: QuietLog(), Now: d.now})
	if err != nil {
		return []setting.Finding{{Part: "provider", Status: setting.Failed, Detail: err.Error()}}
	}
	var all []setting.Finding
	for _, f := range p.Examine(ctx, d.cfg.Returns()) {
		f.Part = "provider: " + f.Part
		all = append(all, f)
	}
	return all
}
