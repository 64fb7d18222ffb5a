package doctor

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

// lookupFunc resolves a name to the name that it is an alias of, and to its addresses.
type lookupFunc func(ctx context.Context, host string) (alias string, addresses []string, err error)

func lookupHost(ctx context.Context, host string) (alias string, addresses []string, err error) {
	if alias, err = net.DefaultResolver.LookupCNAME(ctx, host); err != nil {
		alias = ""
	}
	addresses, err = net.DefaultResolver.LookupHost(ctx, host)
	return strings.TrimSuffix(alias, "."), addresses, err
}

const pointAtGateway = "point the name at the gateway, or at the load balancer in front of it"

// checkSites checks every public URL as a visitor uses it: its name, its certificate, and whether a gateway responds.
func (d *doctor) checkSites(ctx context.Context) (all []setting.Finding) {
	for _, site := range d.cfg.Server.Sites() {
		host := inbound.HostOnly(site.Host)
		if inbound.IsLoopback(host) {
			continue
		}
		name, resolved := d.checkName(ctx, host)
		all = append(all, name)
		if !resolved {
			continue
		}
		if site.Secure() {
			all = append(all, d.checkCertificate(ctx, site)...)
		}
		all = append(all, d.checkGateway(ctx, site))
	}
	return all
}

// hubSpotNames are parts of the names that a host is an alias of while DNS points it at HubSpot.
var hubSpotNames = []string{
	".hubspot.", ".hs-sites", ".hscoscdn", ".hubspotusercontent", ".sites-proxy.", ".hubspotpagebuilder.",
}

// checkName checks where DNS points a host. resolved is false if no gateway can respond there.
func (d *doctor) checkName(ctx context.Context, host string) (f setting.Finding, resolved bool) {
	part, where := "dns of "+host, "DNS of "+host
	alias, addresses, err := d.lookup(ctx, host)
	if err != nil {
		return failed(part, "the name cannot be resolved: "+err.Error(), pointAtGateway, where), false
	}
	for _, name := range hubSpotNames {
		if strings.Contains(alias, name) {
			detail := "the name points at HubSpot (" + alias + "), so that visitors bypass the gateway"
			return failed(part, detail, pointAtGateway, where), false
		}
	}
	return ok(part, strings.Join(addresses, ", ")), true
}

// checkGateway checks whether the public URL leads to a gateway. No response is a warning only, because the gateway may
// not run yet.
func (d *doctor) checkGateway(ctx context.Context, site *inbound.Site) setting.Finding {
	part, where := "gateway at "+site.Host, "DNS of "+inbound.HostOnly(site.Host)+", load balancer"
	address := site.Origin() + d.cfg.Auth.Prefix + "/userinfo"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return warning(part, err.Error(), "", where)
	}
	req.Header.Set("Accept", "application/json")
	res, err := d.client(dependency.HubSpotSite).Do(req)
	if err != nil {
		return warning(part, "no response: "+err.Error(),
			"start the gateway; if it runs, DNS or the load balancer lead elsewhere", where)
	}
	res.Body.Close()
	switch {
	case isUserinfo(res):
		return ok(part, "responds")
	case accountOf(res.Header) != 0:
		return failed(part, "HubSpot responds there, not the gateway: visitors bypass it", pointAtGateway, where)
	default:
		detail := "something else responds there (" + res.Status + "), not the gateway"
		return failed(part, detail, pointAtGateway, where)
	}
}

// isUserinfo reports whether a response is one of the gateway's endpoint userinfo.
func isUserinfo(res *http.Response) bool {
	if !strings.Contains(res.Header.Get("Content-Type"), "json") {
		return false
	}
	switch res.StatusCode {
	case http.StatusOK, http.StatusUnauthorized, http.StatusServiceUnavailable:
		return true
	}
	return false
}
