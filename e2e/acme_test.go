package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// authority is a real ACME server with a name server that sends every name to this machine.
type authority struct {
	*process
	directory, roots string // URL; PEM file that holds the certificate of the authority's own server
}

// startAuthority runs pebble, whose certificates are good for so many seconds. It finds the gateway's HTTP challenge at httpPort and its
// TLS-ALPN challenge at tlsPort.
func startAuthority(t *testing.T, httpPort, tlsPort, validity int) authority {
	t.Helper()
	need(t, "pebble", "pebble")
	need(t, "pebble", "pebble-challtestsrv")
	base := freePorts(t, 4)
	folder := t.TempDir()
	certFile, keyFile := selfSigned(t, folder, "localhost")
	config := fmt.Sprintf(`{"pebble": {"listenAddress": "127.0.0.1:%d", "managementListenAddress": "127.0.0.1:%d",
		"certificate": %q, "privateKey": %q, "httpPort": %d, "tlsPort": %d, "keyAlgorithm": "ecdsa",
		"profiles": {"default": {"description": "default", "validityPeriod": %d}}}}`,
		base, base+1, certFile, keyFile, httpPort, tlsPort, validity)
	names := start(t, "pebble-challtestsrv", "-defaultIPv6", "", "-defaultIPv4", "127.0.0.1", "-dnsserver", "127.0.0.1:"+strconv.Itoa(base+2),
		"-management", "127.0.0.1:"+strconv.Itoa(base+3), "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
	eventually(t, "the name server answers", func() bool { return listens(base + 3) })
	_ = names
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "5")
	p := start(t, "pebble", "-config", write(t, "pebble.json", config), "-dnsserver", "127.0.0.1:"+strconv.Itoa(base+2))
	eventually(t, "the authority answers", func() bool { return listens(base) && listens(base+1) })
	return authority{p, fmt.Sprintf("https://localhost:%d/dir", base), certFile}
}

func listens(port int) bool {
	conn, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(port), time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

const (
	acmeHost  = "www.hubgate.test"
	bareHost  = "hubgate.test" // redirects to it
	laterHost = "later.hubgate.test"
	quarter   = 90 * 24 * 60 * 60
)

func TestTwoReplicasServeOneCertificateOfOneOrder(t *testing.T) {
	redisPort := freePorts(t, 1)
	startRedis(t, redisPort)
	ports := freePorts(t, 6)
	ca := startAuthority(t, ports, ports+1, quarter)
	t.Setenv("SSL_CERT_FILE", ca.roots)
	one := startTLSGateway(t, ca, single(redisPort), ports)
	two := startTLSGateway(t, ca, single(redisPort), ports+3)
	serials := map[string]bool{}
	for _, port := range []int{ports + 1, ports + 4} {
		for _, host := range []string{acmeHost, bareHost} {
			leaf := certificateOf(t, port, host)
			serials[leaf.SerialNumber.String()] = true
			if err := leaf.VerifyHostname(host); err != nil {
				t.Error(err)
			}
			want := fmt.Sprintf("hubgate_tls_not_after_timestamp_seconds{name=%q} %g\n", host, float64(leaf.NotAfter.Unix()))
			if text := adminText(port+1, "/metrics"); !strings.Contains(text, want) {
				t.Errorf("the metrics do not say %q", want)
			}
		}
		for what, hello := range map[string]*tls.Config{
			"another host": {ServerName: "evil.example"}, "a host below": {ServerName: "a." + acmeHost}, "TLS 1.1": {ServerName: acmeHost, MaxVersion: tls.VersionTLS11},
		} {
			if leaf := handshake(port, hello); leaf != nil {
				t.Errorf("%s is shown the certificate of %v", what, leaf.DNSNames)
			}
		}
	}
	if len(serials) != 2 {
		t.Errorf("the replicas serve %d certificates of two hosts", len(serials))
	}
	orders := strings.Count(one.out.String()+two.out.String(), `"msg":"certificate obtained"`)
	if orders != 2 {
		t.Errorf("%d orders were made for two hosts", orders)
	}
	change(t, one.config(), bareHost+"]", bareHost+", "+laterHost+"]")
	if err := certificateOf(t, ports+1, laterHost).VerifyHostname(laterHost); err != nil {
		t.Errorf("a host that a reload adds: %v", err)
	}
	change(t, one.config(), ", "+laterHost+"]", "]")
	eventually(t, "a host that a reload takes away is not served", func() bool { return handshake(ports+1, &tls.Config{ServerName: laterHost}) == nil })
	for _, place := range redisValues(t, redisPort) {
		if strings.Contains(place, "PRIVATE KEY") {
			t.Error("a private key is in Redis in the clear")
		}
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

func TestWithoutAnAuthorityTheGatewayServesWhatItHasAndSaysSo(t *testing.T) {
	redisPort, ports := freePorts(t, 1), freePorts(t, 9)
	store := startRedis(t, redisPort, "--appendonly", "yes", "--dir", t.TempDir())
	ca := startAuthority(t, ports, ports+1, quarter)
	t.Setenv("SSL_CERT_FILE", ca.roots)
	startTLSGateway(t, ca, single(redisPort), ports)
	first := certificateOf(t, ports+1, acmeHost)
	certificateOf(t, ports+1, bareHost)
	ca.kill()
	startTLSGateway(t, ca, single(redisPort), ports+3)
	if again := certificateOf(t, ports+4, acmeHost); again.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Error("another certificate is served")
	}
	store.kill()
	third := startTLSGateway(t, ca, single(redisPort), ports+6)
	third.says("cannot read certificates from Redis")
	startRedis(t, redisPort)
	third.says(`"msg":"could not obtain a certificate, retrying"`)
}

// certificateOf waits for the certificate of a host.
func certificateOf(t *testing.T, port int, host string) *x509.Certificate {
	t.Helper()
	var leaf *x509.Certificate
	eventually(t, "a certificate is served for "+host, func() bool {
		leaf = handshake(port, &tls.Config{ServerName: host})
		return leaf != nil
	})
	return leaf
}

// redisValues is all text that a Redis holds.
func redisValues(t *testing.T, port int) []string {
	t.Helper()
	var values []string
	for _, key := range strings.Fields(redisCLI(t, port, "keys", "hubgate:tls:v:*")) {
		values = append(values, redisCLI(t, port, "get", key))
	}
	if len(values) == 0 {
		t.Error("Redis holds no certificates")
	}
	return values
}

func startTLSGateway(t *testing.T, ca authority, store string, ports int) *process {
	t.Helper()
	text := fmt.Sprintf(`version: 1
server:
  public_urls: ["https://%s"]
  redirect_from: {%[1]s: [%s]}
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
  redis: %s
`, acmeHost, bareHost, ports+1, ports+2, ca.directory, ports, sealKey, store)
	p := start(t, binary, "serve", "--config", write(t, "hubgate.yaml", text))
	p.says(`"msg":"serving"`)
	return p
}

// handshake returns the certificate that a port serves, or nil.
func handshake(port int, hello *tls.Config) *x509.Certificate {
	hello.InsecureSkipVerify = true // the test's own authority
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", "127.0.0.1:"+strconv.Itoa(port), hello)
	if err != nil {
		return nil
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}
