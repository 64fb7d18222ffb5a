package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/testservice"
)

// authority is pebble, an ACME server, with a name server that resolves every name to this machine.
type authority struct {
	*process
	url, roots string // of its directory; PEM file with the certificate of the authority's own server
}

// startAuthority runs pebble. It expects HTTP challenges at httpPort and TLS-ALPN challenges at httpPort+1. Its
// certificates are valid for the given number of seconds.
func startAuthority(t *testing.T, httpPort, validity int) authority {
	t.Helper()
	testservice.Need(t, "pebble", "pebble")
	testservice.Need(t, "pebble", "pebble-challtestsrv")
	base := freePorts(t, 4)
	certFile, keyFile := selfSigned(t, "localhost", tomorrow())
	config := fmt.Sprintf(`{"pebble": {"listenAddress": %q, "managementListenAddress": %q,
		"certificate": %q, "privateKey": %q, "httpPort": %d, "tlsPort": %d, "keyAlgorithm": "ecdsa",
		"profiles": {"default": {"description": "default", "validityPeriod": %d}}}}`,
		local(base), local(base+1), certFile, keyFile, httpPort, httpPort+1, validity)
	start(t, "pebble-challtestsrv", "-defaultIPv6", "", "-defaultIPv4", "127.0.0.1", "-dnsserver", local(base+2),
		"-management", local(base+3), "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
	eventually(t, "the name server answers", func() bool { return listens(base + 3) })
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "5")
	t.Setenv("SSL_CERT_FILE", certFile)
	p := start(t, "pebble", "-config", write(t, "pebble.json", config), "-dnsserver", local(base+2))
	eventually(t, "the authority answers", func() bool { return listens(base) && listens(base+1) })
	return authority{p, fmt.Sprintf("https://localhost:%d/dir", base), certFile}
}

const (
	acmeHost  = "www.hubgate.test"
	bareHost  = "hubgate.test" // redirects to acmeHost
	laterHost = "later.hubgate.test"
	quarter   = 90 * 24 * 60 * 60 // seconds
)

// acmeSite is a site whose gateways get certificates from an ACME authority.
type acmeSite struct {
	*site
	authority authority
	ports     []int // of the gateways' HTTP listeners; HTTPS is at the next one. The authority knows the first.
}

// newACMESite starts an authority that n gateways can use.
func newACMESite(t *testing.T, n int, redis string) *acmeSite {
	t.Helper()
	a := &acmeSite{}
	for range n {
		a.ports = append(a.ports, freePorts(t, 2))
	}
	a.authority = startAuthority(t, a.ports[0], quarter)
	a.site = newSite(t, options{bare: true, host: acmeHost, redis: redis, config: config{
		"server.redirect_from": "{" + acmeHost + ": [" + bareHost + "]}",
		"server.tls.mode":      "acme",
		"server.tls.acme":      "{email: ops@hubgate.test, agree: true, directory_url: " + a.authority.url + "}",
	}})
	return a
}

// serve starts the next gateway.
func (a *acmeSite) serve() *gateway {
	a.t.Helper()
	port := a.ports[len(a.gateways)]
	g := a.site.serve(config{"server.listen": local(port + 1), "server.tls.http_listen": local(port)})
	g.port = port + 1
	return g
}

func TestCertificateOrderIsSharedByReplicas(t *testing.T) {
	store := startRedis(t)
	a := newACMESite(t, 2, store.section())
	one, two := a.serve(), a.serve()
	serials := map[string]bool{}
	for _, g := range []*gateway{one, two} {
		for _, host := range []string{acmeHost, bareHost} {
			leaf := certificateOf(t, g.port, host)
			serials[leaf.SerialNumber.String()] = true
			if err := leaf.VerifyHostname(host); err != nil {
				t.Error(err)
			}
			g.reportsExpiry(host, leaf)
		}
		for what, hello := range map[string]*tls.Config{
			"another host": {ServerName: "evil.example"}, "a subdomain": {ServerName: "a." + acmeHost},
			"TLS 1.1": {ServerName: acmeHost, MaxVersion: tls.VersionTLS11},
		} {
			if leaf := handshake(g.port, hello); leaf != nil {
				t.Errorf("%s gets the certificate of %v", what, leaf.DNSNames)
			}
		}
	}
	if len(serials) != 2 {
		t.Errorf("the replicas serve %d certificates for two hosts", len(serials))
	}
	const obtained = `"msg":"certificate obtained"`
	if orders := one.out.count(obtained) + two.out.count(obtained); orders != 2 {
		t.Errorf("%d orders for two hosts", orders)
	}
	one.set(config{"server.redirect_from": "{" + acmeHost + ": [" + bareHost + ", " + laterHost + "]}"})
	if err := certificateOf(t, one.port, laterHost).VerifyHostname(laterHost); err != nil {
		t.Errorf("a host that a reload adds: %v", err)
	}
	one.set(config{"server.redirect_from": "{" + acmeHost + ": [" + bareHost + "]}"})
	eventually(t, "a host that a reload removes is not served", func() bool {
		return handshake(one.port, &tls.Config{ServerName: laterHost}) == nil
	})
	storesNoPrivateKey(t, store)
	res, err := (&http.Client{CheckRedirect: stay}).
		Do(&http.Request{Method: "GET", URL: mustURL(t, address(a.ports[0])+"/pricing?x=1"), Host: acmeHost})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	to := res.Header.Get("Location")
	if res.StatusCode != http.StatusPermanentRedirect || to != "https://"+acmeHost+"/pricing?x=1" {
		t.Errorf("http answers %d, Location %q", res.StatusCode, to)
	}
}

// reportsExpiry checks the metric of a certificate's expiry.
func (g *gateway) reportsExpiry(host string, leaf *x509.Certificate) {
	g.t.Helper()
	want := fmt.Sprintf("hubgate_tls_not_after_timestamp_seconds{name=%q} %g\n", host, float64(leaf.NotAfter.Unix()))
	if !strings.Contains(g.text("/metrics"), want) {
		g.t.Errorf("no metric %q", want)
	}
}

func TestCertificateOutageServesTheLastOne(t *testing.T) {
	store := startRedis(t)
	a := newACMESite(t, 3, store.section())
	g := a.serve()
	first := certificateOf(t, g.port, acmeHost)
	certificateOf(t, g.port, bareHost)
	a.authority.kill()
	if again := certificateOf(t, a.serve().port, acmeHost); again.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Error("another certificate is served")
	}
	store.kill()
	third := a.serve()
	third.waitFor("cannot read certificates from Redis")
	store.deleteData()
	store.start()
	third.waitFor(`"msg":"could not obtain a certificate, retrying"`)
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

// storesNoPrivateKey checks that the certificates in Redis are sealed.
func storesNoPrivateKey(t *testing.T, store *redisServer) {
	t.Helper()
	keys := strings.Fields(store.cli("keys", "hubgate:tls:v:*"))
	if len(keys) == 0 {
		t.Error("Redis has no certificates")
	}
	for _, key := range keys {
		if strings.Contains(store.cli("get", key), "PRIVATE KEY") {
			t.Error("Redis has an unencrypted private key")
		}
	}
}

// handshake returns the certificate that a port serves, or nil.
func handshake(port int, hello *tls.Config) *x509.Certificate {
	hello.InsecureSkipVerify = true // the test's own authority
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", local(port), hello)
	if err != nil {
		return nil
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}
