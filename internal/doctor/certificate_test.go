package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

func TestCertificateFindingNamesTheReason(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		host   string
		from   time.Time
		to     time.Time
		status string
		detail string
	}{
		"other name": {
			"else.example.com", now.Add(-time.Hour), now.Add(90 * 24 * time.Hour), setting.Failed,
			"for else.example.com, not for " + publicHost,
		},
		"expired":       {publicHost, now.Add(-48 * time.Hour), now.Add(-24 * time.Hour), setting.Failed, "expired on"},
		"not yet valid": {publicHost, now.Add(24 * time.Hour), now.Add(48 * time.Hour), setting.Failed, "not valid before"},
		"self-signed": {
			publicHost, now.Add(-time.Hour), now.Add(90 * 24 * time.Hour), setting.Failed, "unknown authority",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := healthy(nil, nil)
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.TLS = &tls.Config{Certificates: []tls.Certificate{certificateFor(t, c.host, c.from, c.to)}}
			server.StartTLS()
			t.Cleanup(server.Close)
			d.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
			}
			all := d.checkSites(t.Context())
			for _, f := range all {
				if f.Part == "certificate of "+publicHost && f.Status == c.status &&
					strings.Contains(f.Detail, c.detail) && f.Cure != "" && f.Where != "" {
					return
				}
			}
			t.Errorf("%+v", all)
		})
	}
}

func certificateFor(t *testing.T, host string, from, to time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: from, NotAfter: to,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
