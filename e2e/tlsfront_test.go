package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/testservice"
)

// tlsFront is a site whose public port belongs to a server that terminates TLS, as docs/tls.md describes it.
type tlsFront struct {
	*site
	transport *http.Transport // of a visitor, whose address is not the front's
}

// visitorAddress is not one of server.trusted_proxies.
const visitorAddress = "127.0.0.2"

func newTLSFront(t *testing.T) *tlsFront {
	t.Helper()
	f := &tlsFront{site: newSite(t, options{bare: true, provider: cognito, fronted: true, host: acmeHost,
		config: config{"server.trusted_proxies": "[127.0.0.1/32]", "server.health_path": "/healthz"}})}
	f.certFile, f.keyFile = selfSigned(t, acmeHost, tomorrow())
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitorAddress)}}
	f.transport = insecure(t, true)
	f.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, acmeHost+":") {
			address = local(f.port)
		}
		if address != local(f.port) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		return dialer.DialContext(ctx, network, address)
	}
	f.origin.handle(f.answer)
	f.serve()
	return f
}

// documented returns the configuration of a server in docs/tls.md with replacements.
func (f *tlsFront) documented(language string, replace ...string) string {
	f.t.Helper()
	for _, b := range documentedBlocks(f.t, language) {
		if b.document != "docs/tls.md" {
			continue
		}
		for i := 0; i < len(replace); i += 2 {
			if !strings.Contains(b.text, replace[i]) {
				f.t.Fatalf("the configuration of %s does not contain %q", language, replace[i])
			}
		}
		return strings.NewReplacer(replace...).Replace(b.text)
	}
	f.t.Fatalf("docs/tls.md has no configuration of %s", language)
	return ""
}

// answer is HubSpot's site: it says what arrived, switches protocols, and streams.
func (f *tlsFront) answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/stream":
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: first\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	case "/socket":
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello\n")
	default:
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%s, %d bytes, visitor %s", r.URL.EscapedPath(), n, r.Header.Get("X-Forwarded-For"))
	}
}

// fetch sends a request as a visitor does who forges headers of a proxy.
func (f *tlsFront) fetch(method, path string, body io.Reader) *http.Response {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second) // for a stream that the front keeps
	f.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, f.url+path, body)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", "203.0.113.9")
	req.Header.Set("X-Forwarded-Proto", "http")
	res, err := f.transport.RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { res.Body.Close() })
	return res
}

// checkFront checks each row of the table in docs/tls.md.
func (f *tlsFront) checkFront() {
	f.t.Helper()
	eventually(f.t, "the front answers", func() bool { return listens(f.port) })
	v := newVisitor(f.t)
	v.client.Transport = f.transport
	got := f.login(v, "/members/a")
	if got.StatusCode != http.StatusOK || got.Request.URL.String() != f.url+"/members/a" || got.Proto != "HTTP/2.0" {
		f.t.Errorf("a login ends at %s: %s %d\n%s", got.Request.URL, got.Proto, got.StatusCode, got.body)
	}
	const size = 3 << 20
	res := f.fetch("POST", "/a%20b", strings.NewReader(strings.Repeat("x", size)))
	text, _ := io.ReadAll(res.Body)
	if want := "/a%20b, " + strconv.Itoa(size) + " bytes, visitor " + visitorAddress; string(text) != want {
		f.t.Errorf("the origin receives %q, want %q", text, want)
	}
	first, err := bufio.NewReader(f.fetch("GET", "/stream", nil).Body).ReadString('\n')
	if err != nil || first != "data: first\n" {
		f.t.Errorf("a stream begins with %q, %v", first, err)
	}
	f.checkSocket()
}

// checkSocket opens a WebSocket, which needs HTTP/1.1.
func (f *tlsFront) checkSocket() {
	f.t.Helper()
	conn, err := tls.Dial("tcp", local(f.port), &tls.Config{ServerName: acmeHost, InsecureSkipVerify: true})
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", acmeHost)
	reader := bufio.NewReader(conn)
	res, err := http.ReadResponse(reader, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		f.t.Fatalf("a WebSocket: %v, %+v", err, res)
	}
	if line, err := reader.ReadString('\n'); err != nil || line != "hello\n" {
		f.t.Errorf("the WebSocket receives %q, %v", line, err)
	}
}

// TestDocumentedNginxFront runs the configuration of docs/tls.md.
func TestDocumentedNginxFront(t *testing.T) {
	t.Parallel()
	testservice.Need(t, "nginx", "nginx")
	f := newTLSFront(t)
	plain := freePorts(t, 1)
	startNginx(t, f.documented("nginx", "127.0.0.1:8080", local(f.gateways[0].port), "listen 80", "listen "+local(plain),
		"listen 443", "listen "+local(f.port),
		"/etc/ssl/www.example.com/fullchain.pem", f.certFile, "/etc/ssl/www.example.com/key.pem", f.keyFile,
		"www.example.com", acmeHost))
	f.checkFront()
	req, err := http.NewRequestWithContext(t.Context(), "GET", address(plain)+"/a%20b?c=d", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusPermanentRedirect || to != f.url+"/a%20b?c=d" {
		t.Errorf("http redirects to %q with %d", to, res.StatusCode)
	}
}

// TestDocumentedCaddyFront runs the configuration of docs/tls.md, with a certificate from a file.
func TestDocumentedCaddyFront(t *testing.T) {
	t.Parallel()
	testservice.Need(t, "caddy", "caddy")
	f := newTLSFront(t)
	startCaddy(t, f.documented("caddyfile", "127.0.0.1:8080", local(f.gateways[0].port), "www.example.com {",
		fmt.Sprintf("https://%s:%d {\n\tbind 127.0.0.1\n\ttls %s %s", acmeHost, f.port, f.certFile, f.keyFile)))
	f.checkFront()
}
