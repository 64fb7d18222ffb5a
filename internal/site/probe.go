package site

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/setting"
)

const (
	probeGap     = 200 * time.Millisecond // between two pages
	probeTimeout = 10 * time.Second       // for one page
	probeStep    = 100                    // pages between two lines about progress
	maxSilent    = 5                      // pages in a row without an answer, before the probe gives up
)

// probe requests protected pages from the origin as anyone could: with the name of the public host, and without the
// gateway.
type probe struct {
	cfg    *config.Config
	client *http.Client
	report func(string)

	leaks  []leak
	failed map[string][]string // pages without a usable response, by reason
	silent int                 // pages in a row without a response
}

func newProbe(cfg *config.Config, report func(string)) *probe {
	client := dependency.NewClient(dependency.ClientConfig{
		Name: dependency.HubSpotSite, Timeout: probeTimeout, MaxBody: 4 << 20,
	})
	return &probe{cfg: cfg, client: client, report: report, failed: map[string][]string{}}
}

// run requests the protected pages, and stores the status of each.
func (p *probe) run(ctx context.Context, pages []pageRow) {
	var protected []*pageRow
	for i := range pages {
		if pages[i].protected() && pages[i].Published {
			protected = append(protected, &pages[i])
		}
	}
	start, asked := time.Now(), 0
	for i, page := range protected {
		if p.silent == maxSilent || i > 0 && !background.Sleep(ctx, probeGap) {
			p.skip(ctx, protected[i:])
			break
		}
		p.request(ctx, page)
		if asked++; asked%probeStep == 0 && asked < len(protected) {
			p.report(fmt.Sprintf("%s of %s probed, about %s left", setting.Number(asked),
				setting.Count(len(protected), "protected page"), timeLeft(time.Since(start), asked, len(protected))))
		}
	}
	p.report(fmt.Sprintf("%s requested from the origin without the gateway: %s can be read",
		setting.Count(asked, "protected page"), setting.Number(len(p.leaks))))
}

// request requests one page, and stores what the response says about it.
func (p *probe) request(ctx context.Context, page *pageRow) {
	a := p.ask(ctx, page.Address)
	page.Origin = a.status
	if p.silent++; a.answered {
		p.silent = 0
	}
	switch {
	case a.failure != "":
		p.failed[a.failure] = append(p.failed[a.failure], page.Address)
	case a.open:
		p.leaks = append(p.leaks, leak{page.Address, "origin",
			"anyone can read it by bypassing the gateway; restrict it in HubSpot too"})
	}
}

// skip stores the pages that were not requested.
func (p *probe) skip(ctx context.Context, pages []*pageRow) {
	reason := fmt.Sprintf("not requested, because the origin did not respond to the %d pages before", maxSilent)
	if ctx.Err() != nil {
		reason = "not requested, because the probe was interrupted"
	}
	for _, page := range pages {
		p.failed[reason] = append(p.failed[reason], page.Address)
	}
}

// timeLeft estimates how long the rest takes, in steps of 10 s and from a minute on in minutes.
func timeLeft(elapsed time.Duration, done, total int) string {
	left := (elapsed / time.Duration(done) * time.Duration(total-done)).Round(10 * time.Second)
	if left < time.Minute {
		return fmt.Sprintf("%d s", max(10, int(left.Seconds())))
	}
	return fmt.Sprintf("%d min", int(left.Round(time.Minute).Minutes()))
}
