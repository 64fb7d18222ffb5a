package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

// checkCertificate checks the certificate that visitors of a site get.
func (d *doctor) checkCertificate(ctx context.Context, site *inbound.Site) []setting.Finding {
	host, address := inbound.HostOnly(site.Host), site.Host
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "443")
	}
	raw, err := d.dial(ctx, "tcp", address)
	if err != nil {
		return nil // checkGateway reports it
	}
	defer raw.Close()
	// Nothing is sent, and chainFinding verifies the certificate and explains what is wrong.
	conn := tls.Client(raw, &tls.Config{ServerName: host, InsecureSkipVerify: true})
	if err := conn.HandshakeContext(ctx); err != nil {
		return []setting.Finding{failed("certificate of "+host, "the TLS handshake with "+address+" failed: "+err.Error(),
			"terminate TLS there, or fix the public URL", certificatePlace)}
	}
	return []setting.Finding{chainFinding(conn.ConnectionState().PeerCertificates, host, d.now())}
}

const certificatePlace = "server.tls, or the load balancer in front"

// chainFinding explains why clients would reject a certificate chain.
func chainFinding(chain []*x509.Certificate, host string, now time.Time) setting.Finding {
	leaf, intermediates := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Intermediates: intermediates, CurrentTime: now})
	part, end := "certificate of "+host, leaf.NotAfter.UTC().Format(time.DateOnly)
	bad := func(detail, cure string) setting.Finding { return failed(part, detail, cure, certificatePlace) }
	var unknown x509.UnknownAuthorityError
	switch {
	case leaf.VerifyHostname(host) != nil:
		detail := fmt.Sprintf("the certificate is for %s, not for %s", strings.Join(leaf.DNSNames, ", "), host)
		return bad(detail, "get a certificate that names the host")
	case now.After(leaf.NotAfter):
		return bad("the certificate expired on "+end, "renew it")
	case now.Before(leaf.NotBefore):
		start := leaf.NotBefore.UTC().Format(time.DateOnly)
		return bad("the certificate is not valid before "+start, "set this machine's clock, or wait")
	case errors.As(err, &unknown):
		return bad("the certificate is signed by an unknown authority",
			"serve the whole chain, or use a public authority")
	case err != nil:
		return bad(err.Error(), "get another certificate")
	case leaf.NotAfter.Sub(now) < 7*24*time.Hour:
		return warning(part, "the certificate expires on "+end, "renew it", certificatePlace)
	}
	return ok(part, "expires on "+end)
}
