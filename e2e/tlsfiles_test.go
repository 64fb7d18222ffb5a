package e2e

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// selfSigned writes a certificate for localhost and its key.
func selfSigned(t *testing.T, folder, host string) (certFile, keyFile string) {
	t.Helper()
	cert, key := makeCertificate(t, host)
	certFile, keyFile = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	for path, text := range map[string][]byte{certFile: cert, keyFile: key} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestAnOwnCertificateServesHTTP2AndHTTP1WithHSTS(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 2)
	certFile, keyFile := selfSigned(t, t.TempDir(), acmeHost)
	startFilesGateway(t, ports, certFile, keyFile)
	for protocol, forceHTTP1 := range map[string]bool{"HTTP/2.0": false, "HTTP/1.1": true} {
		transport := &http.Transport{ForceAttemptHTTP2: !forceHTTP1,
			TLSClientConfig: &tls.Config{ServerName: acmeHost, InsecureSkipVerify: true}} // the test's own certificate
		t.Cleanup(transport.CloseIdleConnections)
		req := &http.Request{Method: "GET", URL: mustURL(t, fmt.Sprintf("https://127.0.0.1:%d/pricing", ports)), Host: acmeHost, Header: http.Header{}}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK || res.Proto != protocol || len(res.Header.Values("Strict-Transport-Security")) != 1 {
			t.Errorf("%s: %s %d, HSTS %q", protocol, res.Proto, res.StatusCode, res.Header.Values("Strict-Transport-Security"))
		}
	}
}

// startFilesGateway serves acmeHost with a certificate of files.
func startFilesGateway(t *testing.T, ports int, certFile, keyFile string) *process {
	t.Helper()
	text := fmt.Sprintf(`version: 1
server:
  public_urls: ["https://%s"]
  listen: "127.0.0.1:%d"
  admin_listen: "127.0.0.1:%d"
  tls: {mode: files, cert_file: %q, key_file: %q, hsts: 365d}
  drain_delay: 0s
proxy:
  origin: %s
  default: public
auth:
  user_pool: eu-west-1_AbCdEf123
  client_id: 4uiq5example
  client_secret: e2e-client-secret
session:
  keys: ["%s"]
  redis:
    mode: embedded
`, acmeHost, ports, ports+1, certFile, keyFile, newOrigin(t).URL, sealKey)
	p := start(t, binary, "serve", "--config", write(t, "hubgate.yaml", text))
	p.says(`"msg":"serving"`)
	return p
}

func TestCertificateFilesAreReadAgainAndAHalfWrittenPairKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	ports, folder := freePorts(t, 2), t.TempDir()
	certFile, keyFile := selfSigned(t, folder, acmeHost)
	p := startFilesGateway(t, ports, certFile, keyFile)
	first := certificateOf(t, ports, acmeHost)
	cert, key := makeCertificate(t, acmeHost)
	replace := func(path string, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	replace(certFile, cert[:len(cert)/2])
	p.says("certificate files not read again; the last good certificate goes on")
	replace(certFile, cert) // with the old key: mismatched
	eventually(t, "the mismatch is told", func() bool { return strings.Contains(p.out.String(), "does not match") })
	if leaf := certificateOf(t, ports, acmeHost); leaf.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Error("a pair that does not fit is served")
	}
	replace(keyFile, key)
	p.says(`"msg":"certificate files read again"`)
	next := certificateOf(t, ports, acmeHost)
	if next.SerialNumber.Cmp(first.SerialNumber) == 0 {
		t.Error("the old certificate is served")
	}
	want := fmt.Sprintf("hubgate_tls_not_after_timestamp_seconds{name=%q} %g\n", acmeHost, float64(next.NotAfter.Unix()))
	if text := adminText(ports+1, "/metrics"); !strings.Contains(text, want) {
		t.Errorf("the metrics do not say %q", want)
	}
	other, otherKey := makeCertificate(t, "other.example")
	replace(keyFile, otherKey)
	replace(certFile, other)
	p.says("the certificate does not cover " + acmeHost)
	for what, hello := range map[string]*tls.Config{"another host": {ServerName: "evil.example"}, "TLS 1.1": {ServerName: acmeHost, MaxVersion: tls.VersionTLS11}} {
		if leaf := handshake(ports, hello); leaf != nil {
			t.Errorf("%s is shown the certificate of %v", what, leaf.DNSNames)
		}
	}
	if handshake(ports, &tls.Config{}) == nil {
		t.Error("a health check that names no host gets no certificate")
	}
}
