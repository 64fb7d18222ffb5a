package site

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/setting"
)

const (
	probeGap     = 200 * time.Millisecond // between two pages
	probeTimeout = 10 * time.Second       // for one page
)

// probeOrigin requests protected pages from the origin as anyone could: with the name of the public host, and without
// the gateway.
func probeOrigin(ctx context.Context, cfg *config.Config, pages []pageRow, report func(string)) (all []leak) {
	client := dependency.NewClient(dependency.ClientConfig{
		Name: dependency.HubSpotSite, Timeout: probeTimeout, MaxBody: 4 << 20,
	})
	done, open := 0, 0
	defer func() {
		report(fmt.Sprintf("%s requested from the origin without the gateway: %d can be read",
			setting.Count(done, "protected page"), open))
	}()
	for i := range pages {
		p := &pages[i]
		if !p.protected() || !p.Published {
			continue
		}
		var readable bool
		if p.Origin, readable = requestOrigin(ctx, client, cfg, p.Address); readable {
			open++
			all = append(all, leak{p.Address, "origin", "anyone can read it by bypassing the gateway: " + cfg.Proxy.Origin +
				" serves it to requests with X-HS-Public-Host; restrict the page in HubSpot as well"})
		}
		if done++; done%100 == 0 {
			report(fmt.Sprintf("%d pages probed", done))
		}
		select {
		case <-ctx.Done():
			return all
		case <-time.After(probeGap):
		}
	}
	return all
}

// requestOrigin returns the status of a page at the origin, and whether the page itself was in the response.
func requestOrigin(
	ctx context.Context, client *http.Client, cfg *config.Config, address string,
) (answer string, readable bool) {
	host := cfg.Server.Sites()[0].Host
	u, err := url.Parse(address)
	if err == nil && u.Host != "" {
		host = u.Host
	}
	path := "/"
	if err == nil && u.Path != "" {
		path = u.EscapedPath()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(cfg.Proxy.Origin, "/")+path, nil)
	if err != nil {
		return err.Error(), false
	}
	req.Header.Set("X-Hs-Public-Host", host)
	if cfg.Proxy.OriginHost != "" {
		req.Host = cfg.Proxy.OriginHost
	}
	res, err := client.Do(req)
	if err != nil {
		return "no answer", false
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	// HubSpot's own login and password pages have status 200 too; their forms tell them apart.
	locked := strings.Contains(string(text), "/_hcms/protected/auth") || strings.Contains(string(text), "/_hcms/mem/login")
	return res.Status, res.StatusCode == http.StatusOK && !locked
}
