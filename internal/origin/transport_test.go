package origin

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestConnectionReuse(t *testing.T) {
	t.Parallel()
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		for i := 0; ; i++ {
			req := readRequest(in)
			if req == nil {
				return
			}
			if req.Method == "HEAD" {
				send(conn, "HTTP/1.1 304 Not Modified\r\nEtag: \"1\"\r\n\r\n")
				continue
			}
			text := fmt.Sprint(n, i, req.URL.Path)
			if req.URL.Path == "/chunked" {
				send(conn,
					fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+
						"%x\r\n%s\r\n0\r\nX-End: 1\r\n\r\n", len(text), text))
				continue
			}
			send(conn, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text))
		}
	})
	mustAsk(t, tr, "/a", "1 0/a")
	mustAsk(t, tr, "/chunked", "1 1/chunked")
	res, err := tr.RoundTrip(tr.request(t.Context(), "HEAD", "/"))
	if err != nil || res.StatusCode != 304 || res.Header.Get("Etag") != `"1"` {
		t.Fatalf("%v %v", res, err)
	}
	mustAsk(t, tr, "/b", "1 3/b")
}

func TestResponseUntilCloseIsReadCompletely(t *testing.T) {
	t.Parallel()
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		readRequest(in)
		send(conn, "HTTP/1.0 200 OK\r\n\r\nall of it")
	})
	mustAsk(t, tr, "/", "all of it")
	if tr.kept() > 0 {
		t.Error("a connection was kept although the origin closes it")
	}
	mustAsk(t, tr, "/", "all of it")
}

// TestUnsolicitedResponseIsDropped checks that a response without a request is not taken for the next visitor's
// (response queue poisoning, CWE-444).
func TestUnsolicitedResponseIsDropped(t *testing.T) {
	t.Parallel()
	const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
	for name, late := range map[string]bool{"with the answer": false, "later": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent, asked := make(chan struct{}), make(chan struct{})
			tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
				readRequest(in)
				if n > 1 {
					send(conn, okay+"ok")
					return
				}
				if late {
					send(conn, okay+"ok")
					<-asked
					send(conn, evil)
				} else {
					send(conn, okay+"ok"+evil)
				}
				close(sent)
				readRequest(in)
			})
			mustAsk(t, tr, "/", "ok")
			close(asked)
			<-sent
			mustAsk(t, tr, "/", "ok")
		})
	}
}

func TestClosedIdleConnectionIsRetried(t *testing.T) {
	t.Parallel()
	t.Run("before the request", func(t *testing.T) {
		t.Parallel()
		gone := make(chan struct{}, 2)
		tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
			readRequest(in)
			send(conn, okay+"ok")
			conn.Close()
			gone <- struct{}{}
		})
		mustAsk(t, tr, "/", "ok")
		<-gone
		mustAsk(t, tr, "/", "ok")
	})
	t.Run("during the request", func(t *testing.T) {
		t.Parallel()
		tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
			for i := 0; readRequest(in) != nil && (n > 1 || i == 0); i++ {
				send(conn, okay+"ok")
			}
		})
		mustAsk(t, tr, "/", "ok")
		mustAsk(t, tr, "/", "ok")
	})
}

func TestPartialResponseIsNotRetried(t *testing.T) {
	t.Parallel()
	requests := make(chan string, 8)
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		for req := readRequest(in); req != nil; req = readRequest(in) {
			requests <- req.URL.Path
			if req.URL.Path == "/cut" {
				send(conn, "HTTP/1.1 200 OK\r\nConte")
				return
			}
			send(conn, okay+"ok")
		}
	})
	mustAsk(t, tr, "/", "ok")
	if got, err := tr.ask(t.Context(), "/cut"); err == nil {
		t.Fatal(got)
	}
	if len(requests) != 2 {
		t.Fatalf("%d requests, want 2", len(requests))
	}
}

func TestDirectRequests(t *testing.T) {
	t.Parallel()
	tr := reach(t, "http://origin.example")
	for name, change := range map[string]func(*http.Request){
		"body":           func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("x")) },
		"POST":           func(r *http.Request) { r.Method = "POST" },
		"DELETE":         func(r *http.Request) { r.Method = "DELETE" },
		"upgrade":        func(r *http.Request) { r.Header.Set("Upgrade", "websocket") },
		"expect":         func(r *http.Request) { r.Header.Set("Expect", "100-continue") },
		"close":          func(r *http.Request) { r.Close = true },
		"another host":   func(r *http.Request) { r.URL.Host = "elsewhere.example" },
		"another scheme": func(r *http.Request) { r.URL.Scheme = "https" },
		"another port":   func(r *http.Request) { r.URL.Host += ":81" },
		"lower case":     func(r *http.Request) { r.Method = "get" },
	} {
		r := tr.request(t.Context(), "GET", "/")
		if !tr.direct(r) {
			t.Fatal("a plain GET is not direct")
		}
		if change(r); tr.direct(r) {
			t.Errorf("%s: direct", name)
		}
	}
}

func TestCanceledRequestReturnsAtOnce(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]string{"before the answer": "", "in its body": okay + "o"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			received, ended := make(chan struct{}), make(chan struct{})
			tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
				readRequest(in)
				send(conn, begin)
				close(received)
				io.Copy(io.Discard, in) // until the peer closes
				close(ended)
			})
			ctx, leave := context.WithCancel(t.Context())
			go func() { <-received; leave() }()
			if got, err := tr.ask(ctx, "/"); !errors.Is(err, context.Canceled) {
				t.Errorf("%q, %v", got, err)
			}
			<-ended
			if tr.kept() > 0 {
				t.Error("the connection was kept")
			}
		})
	}
}

func TestCertificateNameIsVerified(t *testing.T) {
	t.Parallel()
	for _, h2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
			r *http.Request) {
			io.WriteString(w, r.Proto+" "+r.TLS.ServerName)
		}))
		server.EnableHTTP2 = h2
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		good := reach(t, server.URL, named).trust(server)
		mustAsk(t, good, "/", "HTTP/1.1 example.com")
		mustAsk(t, good, "/", "HTTP/1.1 example.com")

		bad := reach(t, server.URL, func(c *Config) { c.ServerName = "other.example.org" }).trust(server)
		var name x509.HostnameError
		if _, err := bad.ask(t.Context(), "/"); !errors.As(err, &name) {
			t.Errorf("another name: %v", err)
		}
		var unknown x509.UnknownAuthorityError
		if _, err := reach(t, server.URL, named).ask(t.Context(), "/"); !errors.As(err, &unknown) {
			t.Errorf("an unknown authority: %v", err)
		}
	}
}

func TestHTTP2OnlyOrigin(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if slices.Contains(hello.SupportedProtos, "h2") {
				return nil, nil
			}
			// Go's server would not insist on h2
			return &tls.Config{NextProtos: []string{"none of yours"}, Certificates: server.TLS.Certificates}, nil
		}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	tr := reach(t, server.URL, named).trust(server)
	mustAsk(t, tr, "/", "HTTP/2.0")
	if !tr.indirect.Load() {
		t.Error("it would be asked for HTTP/1.1 each time")
	}
	mustAsk(t, tr, "/", "HTTP/2.0")
}

func TestUnavailableOriginIsDialError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	var op *net.OpError
	if _, err := reach(t, "http://"+l.Addr().String()).ask(t.Context(), "/"); !errors.As(err, &op) || op.Op != "dial" {
		t.Error(err)
	}
}
