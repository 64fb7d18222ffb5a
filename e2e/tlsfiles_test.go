package e2e

import (
	"crypto/tls"
	"net/http"
	"testing"
)

// startHTTPS runs a gateway that serves acmeHost with a certificate from files.
func startHTTPS(t *testing.T) *gateway {
	t.Helper()
	return newSite(t, options{bare: true, https: true, host: acmeHost}).serve()
}

func TestCertificateServesHTTP1AndHTTP2(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{bare: true, https: true, host: acmeHost, config: config{"server.tls.hsts": "365d"}})
	g := s.serve()
	for protocol, http2 := range map[string]bool{"HTTP/2.0": true, "HTTP/1.1": false} {
		transport := insecure(t, http2)
		transport.TLSClientConfig.ServerName = acmeHost
		url := mustURL(t, "https://"+local(g.port)+"/pricing")
		res, err := transport.RoundTrip(&http.Request{Method: "GET", URL: url, Host: acmeHost, Header: http.Header{}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		hsts := res.Header.Values("Strict-Transport-Security")
		if res.StatusCode != http.StatusOK || res.Proto != protocol || len(hsts) != 1 {
			t.Errorf("%s: %s %d, HSTS %q", protocol, res.Proto, res.StatusCode, hsts)
		}
	}
}

// insecure returns a transport that accepts the test's own certificate.
func insecure(t *testing.T, http2 bool) *http.Transport {
	t.Helper()
	tr := &http.Transport{ForceAttemptHTTP2: http2, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func TestCertificateFilesAreReloaded(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{bare: true, https: true, host: acmeHost})
	g := s.serve()
	first := certificateOf(t, g.port, acmeHost)
	cert, key := makeCertificate(t, acmeHost, tomorrow())
	overwrite(t, s.certFile, cert[:len(cert)/2])
	g.waitFor("certificate files not reloaded; keeping the last good certificate")
	overwrite(t, s.certFile, cert) // with the old key
	g.waitFor("does not match")
	if leaf := certificateOf(t, g.port, acmeHost); leaf.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Error("a mismatched pair is served")
	}
	overwrite(t, s.keyFile, key)
	g.waitFor(`"msg":"certificate files reloaded"`)
	next := certificateOf(t, g.port, acmeHost)
	if next.SerialNumber.Cmp(first.SerialNumber) == 0 {
		t.Error("the old certificate is served")
	}
	g.reportsExpiry(acmeHost, next)
	other, otherKey := makeCertificate(t, "other.example", tomorrow())
	overwrite(t, s.keyFile, otherKey)
	overwrite(t, s.certFile, other)
	g.waitFor("the certificate does not cover " + acmeHost)
	for what, hello := range map[string]*tls.Config{
		"another host": {ServerName: "evil.example"}, "TLS 1.1": {ServerName: acmeHost, MaxVersion: tls.VersionTLS11},
	} {
		if leaf := handshake(g.port, hello); leaf != nil {
			t.Errorf("%s gets the certificate of %v", what, leaf.DNSNames)
		}
	}
	if handshake(g.port, &tls.Config{}) == nil {
		t.Error("a health check that names no host gets no certificate")
	}
}
