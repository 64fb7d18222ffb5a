package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

// lookupFunc resolves a name: where it is an alias to, and its addresses.
type lookupFunc func(ctx context.Context, host string) (alias string, addresses []string, err error)

func lookupHost(ctx context.Context, host string) (alias string, addresses []string, err error) {
	if alias, err = net.DefaultResolver.LookupCNAME(ctx, host); err != nil {
		alias = ""
	}
	addresses, err = net.DefaultResolver.LookupHost(ctx, host)
	return strings.TrimSuffix(alias, "."), addresses, err
}

// askSites follows every public URL as a visitor would: its name, its certificate, and whether this gateway answers there.
func (d *doctor) askSites(ctx context.Context) (all []setting.Finding) {
	for _, site := range d.cfg.Server.Sites() {
		host := inbound.HostOnly(site.Host)
		if inbound.IsLoopback(host) {
			continue
		}
		name, found := d.judgeName(ctx, host)
		all = append(all, name)
		if !found {
			continue
		}
		if site.Secure() {
			all = append(all, d.judgeServed(ctx, site)...)
		}
		all = append(all, d.judgeGateway(ctx, site))
	}
	return all
}

// hubSpotNames are what a host is an alias to while DNS still points it at HubSpot.
var hubSpotNames = []string{".hubspot.", ".hs-sites", ".hscoscdn", ".hubspotusercontent", ".sites-proxy.", ".hubspotpagebuilder."}

func (d *doctor) judgeName(ctx context.Context, host string) (f setting.Finding, found bool) {
	f = setting.Finding{Part: "dns of " + host, Status: setting.Failed, Where: "DNS of " + host}
	alias, addresses, err := d.lookup(ctx, host)
	if err != nil {
		f.Detail, f.Cure = "the name cannot be resolved: "+err.Error(), "let it point at the gateway, or at the balancer in front of it"
		return f, false
	}
	for _, name := range hubSpotNames {
		if strings.Contains(alias, name) {
			f.Detail, f.Cure = "it points at HubSpot ("+alias+"), so that visitors pass by the gateway", "let it point at the gateway, or at the balancer in front of it"
			return f, false
		}
	}
	return setting.Finding{Part: f.Part, Status: setting.OK, Detail: strings.Join(addresses, ", ")}, true
}

// judgeServed looks at the certificate that visitors get.
func (d *doctor) judgeServed(ctx context.Context, site *inbound.Site) []setting.Finding {
	host, address := inbound.HostOnly(site.Host), site.Host
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "443")
	}
	f := setting.Finding{Part: "certificate of " + host, Status: setting.Failed, Where: "server.tls, or the balancer in front"}
	raw, err := d.dial(ctx, "tcp", address)
	if err != nil {
		return nil // judgeGateway says that nobody answers
	}
	defer raw.Close()
	conn := tls.Client(raw, &tls.Config{ServerName: host, InsecureSkipVerify: true}) // nothing is sent: it is judged below, with words
	if err := conn.HandshakeContext(ctx); err != nil {
		f.Detail, f.Cure = "no TLS is spoken at "+address+": "+err.Error(), "let TLS end there, or mend the public URL"
		return []setting.Finding{f}
	}
	return []setting.Finding{judgeChain(f, conn.ConnectionState().PeerCertificates, host, d.now())}
}

// judgeChain tells a wrong name from an ended certificate and from one that nobody trusts.
func judgeChain(f setting.Finding, chain []*x509.Certificate, host string, now time.Time) setting.Finding {
	leaf, others := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Intermediates: others, CurrentTime: now})
	end := leaf.NotAfter.UTC().Format(time.DateOnly)
	var unknown x509.UnknownAuthorityError
	switch {
	case leaf.VerifyHostname(host) != nil:
		f.Detail, f.Cure = fmt.Sprintf("it is for %s, not for %s", strings.Join(leaf.DNSNames, ", "), host), "get a certificate that names the host"
	case now.After(leaf.NotAfter):
		f.Detail, f.Cure = "it ended on "+end, "renew it"
	case now.Before(leaf.NotBefore):
		f.Detail, f.Cure = "it begins on "+leaf.NotBefore.UTC().Format(time.DateOnly), "set this machine's clock, or wait"
	case errors.As(err, &unknown):
		f.Detail, f.Cure = "no authority that this machine knows has signed it", "serve the whole chain, or use a public authority"
	case err != nil:
		f.Detail, f.Cure = err.Error(), "get another certificate"
	case leaf.NotAfter.Sub(now) < 7*24*time.Hour:
		f.Status, f.Detail, f.Cure = setting.Warning, "it ends on "+end, "renew it"
	default:
		return setting.Finding{Part: f.Part, Status: setting.OK, Detail: "ends on " + end}
	}
	return f
}

// judgeGateway finds out whether the public URL leads to a gateway. That nothing answers is no failure: it may not run yet.
func (d *doctor) judgeGateway(ctx context.Context, site *inbound.Site) setting.Finding {
	f := setting.Finding{Part: "gateway at " + site.Host, Status: setting.Warning, Where: "DNS of " + inbound.HostOnly(site.Host) + ", balancer"}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, site.Origin()+d.cfg.Auth.Prefix+"/userinfo", nil)
	if err != nil {
		f.Detail = err.Error()
		return f
	}
	req.Header.Set("Accept", "application/json")
	res, err := d.client(dependency.HubSpotSite).Do(req)
	if err != nil {
		f.Detail, f.Cure = "no answer: "+err.Error(), "start the gateway; if it runs, DNS or the balancer lead elsewhere"
		return f
	}
	res.Body.Close()
	kind := res.Header.Get("Content-Type")
	switch {
	case strings.Contains(kind, "json") && (res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusOK || res.StatusCode == http.StatusServiceUnavailable):
		return setting.Finding{Part: f.Part, Status: setting.OK, Detail: "answers"}
	case accountOf(res.Header) != 0:
		f.Status, f.Detail, f.Cure = setting.Failed, "HubSpot answers there, not the gateway: visitors pass by it", "let the name point at the gateway, or at the balancer in front of it"
	default:
		f.Status, f.Detail, f.Cure = setting.Failed, "something else answers there ("+res.Status+"), not the gateway", "let the name point at the gateway, or at the balancer in front of it"
	}
	return f
}
