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

// askOrigin asks HubSpot's origin for the first page of every public host, as the gateway would.
func (d *doctor) askOrigin(ctx context.Context) (all []setting.Finding) {
	client := d.client(dependency.HubSpotSite)
	for _, site := range d.cfg.Server.Sites() {
		f := setting.Finding{Part: "origin for " + site.Host, Status: setting.Failed, Where: "proxy.origin"}
		res, err := d.visitOrigin(ctx, client, site.Host, "/")
		if err != nil {
			f.Detail, f.Cure = err.Error(), originCure(err.Error())
			all = append(all, f)
			continue
		}
		res.Body.Close()
		all = append(all, judgeOrigin(f, res, site.Host))
		if res.StatusCode < 400 {
			all = append(all, d.judgeAccount(ctx, client, res, site.Host)...)
		}
	}
	return all
}

func (d *doctor) visitOrigin(ctx context.Context, client *http.Client, host, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(d.cfg.Proxy.Origin, "/")+path, nil)
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
		return "mend the HubID, the number behind hscoscdn or the data centre: there is no such origin"
	case strings.Contains(text, "certificate"), strings.Contains(text, "x509"), strings.Contains(text, "tls:"):
		return "the origin's certificate is for another name: mend proxy.origin, or leave proxy.origin_host empty"
	}
	return "mend proxy.origin, or let this machine reach it"
}

func judgeOrigin(f setting.Finding, res *http.Response, host string) setting.Finding {
	challenge := res.StatusCode == http.StatusForbidden && (res.Header.Get("Cf-Mitigated") != "" || strings.Contains(res.Header.Get("Content-Type"), "html"))
	switch {
	case res.StatusCode < 400:
		return setting.Finding{Part: f.Part, Status: setting.OK, Detail: "answers " + res.Status}
	case res.StatusCode == http.StatusNotFound:
		f.Detail, f.Cure = "answers 404: HubSpot does not know "+host+" at this origin", "connect the domain with HubSpot's CDN switched off; check the HubID, the number and the data centre in proxy.origin"
		f.Where = "HubSpot: Settings, Content, Domains & URLs; proxy.origin"
	case res.StatusCode == http.StatusTooManyRequests:
		f.Status, f.Detail, f.Cure, f.Where = setting.Warning, "answers 429: HubSpot limits this machine's address", "run two or more replicas with different egress addresses", "network"
	case challenge:
		f.Status, f.Detail, f.Cure, f.Where = setting.Warning, "answers 403 with a challenge for browsers: HubSpot doubts this machine's address", "run two or more replicas with different egress addresses", "network"
	case res.StatusCode == http.StatusMisdirectedRequest:
		f.Detail, f.Cure, f.Where = "answers "+res.Status+": it does not serve the host that it is asked by", "leave it empty, or write the origin's own host", "proxy.origin_host"
	default:
		f.Detail, f.Cure, f.Where = "answers "+res.Status, "look at HubSpot's status page, and at the site without the gateway", "HubSpot"
	}
	return f
}

// judgeAccount compares the account that answers with the one that is meant: HubSpot's origins answer for others as well.
func (d *doctor) judgeAccount(ctx context.Context, client *http.Client, page *http.Response, host string) []setting.Finding {
	answers := accountOf(page.Header)
	if answers == 0 {
		if res, err := d.visitOrigin(ctx, client, host, "/_hcms/diagnostics"); err == nil {
			res.Body.Close()
			answers = accountOf(res.Header)
		}
	}
	meant, where := d.cfg.HubSpot.HubID, "hubspot.hub_id, proxy.origin"
	if meant == 0 {
		u, err := url.Parse(d.cfg.Proxy.Origin)
		if err != nil {
			return nil
		}
		first, rest, _ := strings.Cut(u.Hostname(), ".")
		if id, err := strconv.ParseInt(first, 10, 64); err == nil && strings.HasPrefix(rest, "sites-proxy.") {
			meant, where = id, "proxy.origin"
		}
	}
	if answers == 0 || meant == 0 || answers == meant {
		return nil
	}
	return []setting.Finding{{Part: "origin for " + host, Status: setting.Failed, Where: where,
		Detail: fmt.Sprintf("account %d answers, but %d is meant: this is another portal's site", answers, meant), Cure: "write the HubID of the account that has the domain"}}
}

func accountOf(h http.Header) int64 {
	for _, name := range []string{"X-Hs-Portal-Id", "X-Hs-Hub-Id"} {
		if id, err := strconv.ParseInt(h.Get(name), 10, 64); err == nil {
			return id
		}
	}
	return 0
}
