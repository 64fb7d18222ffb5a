package origin

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

// script is an origin's handler of one connection; n counts connections from 1.
type script func(conn net.Conn, in *bufio.Reader, n int)

// serveScript starts a server that runs the script and returns a transport to it.
func serveScript(t *testing.T, run script, change ...func(*Config)) *Transport {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var count atomic.Int32
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			n := int(count.Add(1))
			go func() { defer conn.Close(); run(conn, bufio.NewReader(conn), n) }()
		}
	}()
	return reach(t, "http://"+l.Addr().String(), change...)
}

func reach(t testing.TB, address string, change ...func(*Config)) *Transport {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{URL: u, ServerName: u.Hostname(), Dial: time.Minute, TLS: time.Minute, ResponseHeader: time.Minute,
		Idle: time.Hour}
	for _, c := range change {
		c(&cfg)
	}
	tr := New(cfg)
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func (t *Transport) request(ctx context.Context, method, path string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, method, t.cfg.URL.String()+path, nil)
	if err != nil {
		panic(err)
	}
	return req
}

// ask returns the body of a response.
func (t *Transport) ask(ctx context.Context, path string) (string, error) {
	res, err := t.RoundTrip(t.request(ctx, "GET", path))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func mustAsk(t *testing.T, tr *Transport, path, want string) {
	t.Helper()
	if got, err := tr.ask(t.Context(), path); got != want || err != nil {
		t.Fatalf("%s: %q, %v; want %q", path, got, err, want)
	}
}

// readRequest reads a request, or returns nil at the end.
func readRequest(in *bufio.Reader) *http.Request {
	req, err := http.ReadRequest(in)
	if err != nil {
		return nil
	}
	return req
}

// kept returns the number of idle connections.
func (t *Transport) kept() int {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	return len(t.pool.free)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// trust makes the transport trust a test server.
func (t *Transport) trust(server *httptest.Server) *Transport {
	t.tls.RootCAs = x509.NewCertPool()
	t.tls.RootCAs.AddCert(server.Certificate())
	t.others.TLSClientConfig.RootCAs = t.tls.RootCAs
	return t
}

func named(c *Config) { c.ServerName = "example.com" }

func send(conn net.Conn, text string) { _, _ = io.WriteString(conn, text) }

const okay = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
