package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/certs"
	"github.com/hubgate/hubgate/internal/seal"
)

// The certificates are valid for seconds, so that they are renewed during the test.
func TestCertificateRenewalReachesEveryReplica(t *testing.T) {
	store, ports := startRedis(t), freePorts(t, 3)
	ca := startAuthority(t, ports, 15)
	pem, err := os.ReadFile(ca.roots)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	ring, err := seal.New(sealKey)
	if err != nil {
		t.Fatal(err)
	}
	out := newTranscript()
	for i := range 2 {
		rdb := redis.NewClient(&redis.Options{Addr: local(store.port)})
		t.Cleanup(func() { rdb.Close() })
		a, err := certs.NewACME(certs.ACMEConfig{
			Directory: ca.url, Agreed: true, Roots: roots, HTTPPort: ports, TLSPort: ports + 1,
			RenewEvery: time.Second, Redis: rdb, KeyPrefix: "hubgate:", Ring: ring,
			Log: slog.New(slog.NewJSONHandler(out, nil)), Served: func(string, time.Time) {},
		})
		if err != nil {
			t.Fatal(err)
		}
		a.SetHosts([]string{acmeHost})
		ended := make(chan error, 1)
		go func() { ended <- a.Run(t.Context()) }()
		t.Cleanup(func() { <-ended })
		serveACME(t, a, ports+1+i)
		if i == 0 {
			challenges := &http.Server{Handler: a.Challenges(http.NotFoundHandler())}
			t.Cleanup(func() { challenges.Close() })
			go challenges.Serve(listen(t, ports))
		}
	}
	first := certificateOf(t, ports+1, acmeHost)
	for port := ports + 1; port <= ports+2; port++ {
		eventually(t, fmt.Sprintf("port %d serves a renewed certificate:\n%s", port, out), func() bool {
			leaf := handshake(port, &tls.Config{ServerName: acmeHost})
			return leaf != nil && leaf.SerialNumber.Cmp(first.SerialNumber) != 0 && time.Now().Before(leaf.NotAfter)
		})
	}
}

func serveACME(t *testing.T, a *certs.ACME, port int) {
	t.Helper()
	site := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	t.Cleanup(func() { site.Close() })
	go site.Serve(tls.NewListener(listen(t, port), a.TLS()))
}
