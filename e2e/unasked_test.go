package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// switcher is an origin that changes protocols without being asked, as soon as it may.
type switcher struct {
	net.Listener
	asked, permit chan struct{}
}

func newSwitcher(t *testing.T, answer string) *switcher {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &switcher{l, make(chan struct{}), make(chan struct{})}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.speak(conn, answer)
		}
	}()
	return s
}

func (s *switcher) speak(conn net.Conn, answer string) {
	defer conn.Close()
	for in := bufio.NewReader(conn); ; {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		if !strings.HasPrefix(r.URL.Path, "/members/switch") {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			continue
		}
		s.asked <- struct{}{}
		<-s.permit
		io.WriteString(conn, answer)
		io.Copy(io.Discard, in)
		return
	}
}

// secureWorld is a world whose gateway ends TLS itself.
func secureWorld(t *testing.T, origin string) *world {
	t.Helper()
	port := freePorts(t, 1)
	startRedis(t, port)
	base := freePorts(t, 3)
	w := &world{t: t, providerPort: base, port: base + 1, adminPort: base + 2}
	w.store = fmt.Sprintf(`{urls: ["redis://127.0.0.1:%d/0"]}`, port)
	site := strings.Replace(w.site(), "http:", "https:", 1)
	w.provider = startProvider(t, w.providerPort, site+"/oauth2/callback")
	w.origin, w.crm = newOrigin(t), newCRM(t)
	certFile, keyFile := selfSigned(t, t.TempDir(), "localhost")
	const delay = "  drain_delay: 0s\n"
	tls := fmt.Sprintf("  tls: {mode: files, cert_file: %q, key_file: %q}\n", certFile, keyFile)
	text := strings.NewReplacer(w.site(), site, w.origin.URL, origin, delay, delay+tls).Replace(w.yaml())
	w.config = write(t, "hubgate.yaml", text)
	return w
}

// A 101 that nobody asked for is a fault of the origin's, whatever happens to the session or to the process
// meanwhile: over both protocols, for a form, an upload and a page.
func TestUnasked101EndsNothing(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"websocket":   "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"h2c":         "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		"no protocol": "HTTP/1.1 101 Switching Protocols\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin := newSwitcher(t, answer)
			w := secureWorld(t, "http://"+origin.Addr().String())
			gw := w.serve()
			site := strings.Replace(w.site(), "http:", "https:", 1)
			for _, http2 := range []bool{true, false} {
				transport := &http.Transport{ForceAttemptHTTP2: http2, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
				t.Cleanup(transport.CloseIdleConnections)
				v := newVisitor(t)
				v.client.Transport = transport
				form := v.open(site + "/members/")
				who := map[string]string{"username": "test-user@localhost", "password": "verysecure"}
				if got := v.submit(form, "/login/username", who); got.StatusCode != 200 {
					t.Fatalf("%d at %s", got.StatusCode, got.Request.URL)
				}
				answers := make(chan string)
				go func() {
					res, err := v.client.Post(site+"/members/switch", "application/x-www-form-urlencoded", strings.NewReader("a=b"))
					if err != nil {
						answers <- err.Error()
						return
					}
					res.Body.Close()
					answers <- res.Status[:3]
				}()
				<-origin.asked
				out := *v.client // the same browser's other tab
				out.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, site+"/oauth2/sign_out", nil)
				req.Header.Set("Sec-Fetch-Site", "same-origin")
				res, err := out.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				origin.permit <- struct{}{}
				if got := <-answers; got != "502" && got != "401" { // a watch that has begun by now ends the request
					t.Errorf("HTTP/2 %v: %s", http2, got)
				}
				if got := v.open(site + "/"); got.StatusCode != http.StatusOK || got.ProtoMajor == 2 != http2 {
					t.Errorf("afterwards: %s %d", got.Proto, got.StatusCode)
				}
			}
			if status := gw.terminate(); status != 0 {
				t.Errorf("it ended with %d", status)
			}
		})
	}
}
