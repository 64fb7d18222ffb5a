package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/setting"
)

// checkOrigin requests the home page of every public host from HubSpot's origin, as the gateway does.
func (d *doctor) checkOrigin(ctx context.Context) (all []setting.Finding) {
	client := d.client(dependency.HubSpotSite)
	for _, site := range d.cfg.Server.Sites() {
		res, err := d.getFromOrigin(ctx, client, site.Host, "/")
		if err != nil {
			all = append(all, failed("origin for "+site.Host, err.Error(), originCure(err.Error()), "proxy.origin"))
			continue
		}
		res.Body.Close()
		all = append(all, originFinding(res, site.Host))
		if res.StatusCode < 400 {
			all = append(all, d.checkAccount(ctx, client, res, site.Host)...)
		}
	}
	return all
}

func (d *doctor) getFromOrigin(ctx context.Context, client *http.Client, host, path string) (*http.Response, error) {
	address := strings.TrimSuffix(d.cfg.Proxy.Origin, "/") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Hs-Public-Host", host)
	req.Header.Set("X-Hubspot-Trust-Forwarded-For", "true")
	req.Header.Set("Accept", "text/html")
	if d.cfg.Proxy.OriginHost != "" {
		req.Host = d.cfg.Proxy.OriginHost
	}
	res, err := client.Do(req)
	if u, isURL := err.(*url.Error); isURL {
		err = u.Err
	}
	return res, err
}

func originCure(text string) string {
	switch {
	case strings.Contains(text, "no such host"):
		return "there is no such origin: fix the HubID, the number after hscoscdn or the data center"
	case strings.Contains(text, "certificate"), strings.Contains(text, "x509"), strings.Contains(text, "tls:"):
		return "the origin's certificate is for another name: fix proxy.origin, or leave proxy.origin_host empty"
	}
	return "fix proxy.origin, or make it reachable from this machine"
}

// originFinding explains the status of the origin's response.
func originFinding(res *http.Response, host string) setting.Finding {
	const useMoreAddresses = "run two or more replicas with different egress addresses"
	part := "origin for " + host
	html := strings.Contains(res.Header.Get("Content-Type"), "html")
	challenge := res.StatusCode == http.StatusForbidden && (res.Header.Get("Cf-Mitigated") != "" || html)
	switch {
	case res.StatusCode < 400:
		return ok(part, "responds with "+res.Status)
	case res.StatusCode == http.StatusNotFound:
		return failed(part, "responds with 404: HubSpot does not know "+host+" at this origin",
			"connect the domain with HubSpot's CDN switched off; "+
				"check the HubID, the number and the data center in proxy.origin",
			"HubSpot: Settings, Content, Domains & URLs; proxy.origin")
	case res.StatusCode == http.StatusTooManyRequests:
		return warning(part, "responds with 429: HubSpot limits this machine's address", useMoreAddresses, "network")
	case challenge:
		return warning(part, "responds with a challenge for browsers (403): HubSpot does not trust this machine's address",
			useMoreAddresses, "network")
	case res.StatusCode == http.StatusMisdirectedRequest:
		return failed(part, "responds with "+res.Status+": it does not serve the requested host",
			"leave it empty, or write the origin's own host", "proxy.origin_host")
	default:
		return failed(part, "responds with "+res.Status,
			"check HubSpot's status page, and the site without the gateway", "HubSpot")
	}
}

// checkAccount returns a finding if another account than the configured one serves the site: the origins of HubSpot
// serve the sites of other accounts, too.
func (d *doctor) checkAccount(
	ctx context.Context, client *http.Client, page *http.Response, host string,
) []setting.Finding {
	got := accountOf(page.Header)
	if got == 0 {
		if res, err := d.getFromOrigin(ctx, client, host, "/_hcms/diagnostics"); err == nil {
			res.Body.Close()
			got = accountOf(res.Header)
		}
	}
	want, where := d.cfg.HubSpot.HubID, "hubspot.hub_id, proxy.origin"
	if want == 0 {
		want, where = accountOfOrigin(d.cfg.Proxy.Origin), "proxy.origin"
	}
	if got == 0 || want == 0 || got == want {
		return nil
	}
	return []setting.Finding{failed("origin for "+host,
		fmt.Sprintf("account %d responds, but %d is configured: this is the site of another account", got, want),
		"write the HubID of the account that owns the domain", where)}
}

// accountOf returns the account that served a response; 0 if it is unknown.
func accountOf(h http.Header) int64 {
	for _, name := range []string{"X-Hs-Portal-Id", "X-Hs-Hub-Id"} {
		if id, err := strconv.ParseInt(h.Get(name), 10, 64); err == nil {
			return id
		}
	}
	return 0
}

// accountOfOrigin returns the HubID in an address such as https://123.sites-proxy.hscoscdn10.net; 0 if there is none.
func accountOfOrigin(origin string) int64 {
	u, err := url.Parse(origin)
	if err != nil {
		return 0
	}
	first, rest, _ := strings.Cut(u.Hostname(), ".")
	if id, err := strconv.ParseInt(first, 10, 64); err == nil && strings.HasPrefix(rest, "sites-proxy.") {
		return id
	}
	return 0
}
