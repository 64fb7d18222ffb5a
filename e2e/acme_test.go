package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// authority is a real ACME server with a name server that sends every name to this machine.
type authority struct {
	directory, roots string // URL; PEM file that holds the certificate of the authority's own server
	management       string
}

// startAuthority runs pebble. It finds the gateway's HTTP challenge at httpPort and its TLS-ALPN challenge at tlsPort.
func startAuthority(t *testing.T, httpPort, tlsPort int) authority {
	t.Helper()
	need(t, "pebble", "pebble")
	need(t, "pebble", "pebble-challtestsrv")
	base := freePorts(t, 4)
	folder := t.TempDir()
	certFile, keyFile := selfSigned(t, folder, "localhost")
	config := fmt.Sprintf(`{"pebble": {"listenAddress": "127.0.0.1:%d", "managementListenAddress": "127.0.0.1:%d",
		"certificate": %q, "privateKey": %q, "httpPort": %d, "tlsPort": %d, "keyAlgorithm": "ecdsa",
		"profiles": {"default": {"description": "default", "validityPeriod": 7776000}}}}`,
		base, base+1, certFile, keyFile, httpPort, tlsPort)
	names := start(t, "pebble-challtestsrv", "-defaultIPv6", "", "-defaultIPv4", "127.0.0.1", "-dnsserver", "127.0.0.1:"+strconv.Itoa(base+2),
		"-management", "127.0.0.1:"+strconv.Itoa(base+3), "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
	eventually(t, "the name server answers", func() bool { return listens(base + 3) })
	_ = names
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "5")
	start(t, "pebble", "-config", write(t, "pebble.json", config), "-dnsserver", "127.0.0.1:"+strconv.Itoa(base+2))
	eventually(t, "the authority answers", func() bool { return listens(base) && listens(base+1) })
	return authority{fmt.Sprintf("https://localhost:%d/dir", base), certFile, fmt.Sprintf("https://localhost:%d", base+1)}
}

func listens(port int) bool {
	conn, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(port), time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

const acmeHost = "www.hubgate.test"

func TestTwoReplicasServeOneCertificateOfOneOrder(t *testing.T) {
	redisPort := freePorts(t, 1)
	startRedis(t, redisPort)
	ports := freePorts(t, 6)
	ca := startAuthority(t, ports, ports+1)
	t.Setenv("SSL_CERT_FILE", ca.roots)
	one := startTLSGateway(t, ca, redisPort, ports)
	two := startTLSGateway(t, ca, redisPort, ports+3)
	serials := map[string]bool{}
	for _, port := range []int{ports + 1, ports + 4} {
		eventually(t, "a certificate is served", func() bool {
			leaf := handshake(port)
			if leaf != nil {
				serials[leaf.SerialNumber.String()] = true
			}
			return leaf != nil
		})
	}
	if len(serials) != 1 {
		t.Errorf("the replicas serve %d certificates", len(serials))
	}
	orders := strings.Count(one.out.String()+two.out.String(), `"msg":"certificate obtained"`)
	if orders != 1 {
		t.Errorf("%d orders were made", orders)
	}
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).
		Do(&http.Request{Method: "GET", URL: mustURL(t, address(ports)+"/pricing?x=1"), Host: acmeHost})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusPermanentRedirect || got != "https://"+acmeHost+"/pricing?x=1" {
		t.Errorf("http answers %d to %q", res.StatusCode, got)
	}
}

func startTLSGateway(t *testing.T, ca authority, redisPort, ports int) *process {
	t.Helper()
	text := fmt.Sprintf(`version: 1
server:
  public_urls: ["https://%s"]
  listen: "127.0.0.1:%d"
  admin_listen: "127.0.0.1:%d"
  tls:
    mode: acme
    acme: {email: ops@hubgate.test, directory_url: "%s", agree: true}
    http_listen: "127.0.0.1:%d"
  drain_delay: 0s
proxy:
  origin: http://127.0.0.1:9
  default: public
auth:
  user_pool: eu-west-1_AbCdEf123
  client_id: 4uiq5example
  client_secret: e2e-client-secret
session:
  keys: ["%s"]
  redis:
    urls: ["redis://127.0.0.1:%d/0"]
`, acmeHost, ports+1, ports+2, ca.directory, ports, sealKey, redisPort)
	p := start(t, binary, "serve", "--config", write(t, "hubgate.yaml", text))
	p.says(`"msg":"serving"`)
	return p
}

// handshake returns the certificate that a port serves for the public host, or nil.
func handshake(port int) *x509.Certificate {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", "127.0.0.1:"+strconv.Itoa(port),
		&tls.Config{ServerName: acmeHost, InsecureSkipVerify: true}) // the test's own authority
	if err != nil {
		return nil
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

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
	ports := freePorts(t, 3)
	certFile, keyFile := selfSigned(t, t.TempDir(), acmeHost)
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
