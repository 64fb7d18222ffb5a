package stricthttp

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// lent returns a TLS configuration with the certificate of httptest.
func lent(t *testing.T) *tls.Config {
	t.Helper()
	lender := httptest.NewUnstartedServer(nil)
	lender.EnableHTTP2 = true
	lender.StartTLS()
	defer lender.Close()
	return lender.TLS.Clone()
}

// tlsServer starts a server with NewListener and the certificate of httptest.
func tlsServer(t *testing.T, protocols ...string) net.Addr {
	t.Helper()
	cfg := lent(t)
	cfg.NextProtos = append(cfg.NextProtos, protocols...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, r.Proto+" "+r.TLS.NegotiatedProtocol)
	})}
	go server.Serve(NewListener(l, cfg, time.Second))
	t.Cleanup(func() { server.Close() })
	return l.Addr()
}

func TestListenerOverTLS(t *testing.T) {
	t.Parallel()
	address := tlsServer(t).String()
	for _, http2 := range []bool{true, false} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: http2}
		res, err := (&http.Client{Transport: transport}).Get("https://" + address)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		transport.CloseIdleConnections()
		if want := map[bool]string{true: "HTTP/2.0 h2", false: "HTTP/1.1 "}[http2]; string(body) != want {
			t.Errorf("%q, want %q", body, want)
		}
	}
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != 400 {
		t.Errorf("two lengths: %v, %v", res, err)
	}
}

func TestListenerClosesAfterACMEHandshake(t *testing.T) {
	t.Parallel()
	conn, err := tls.Dial("tcp", tlsServer(t, "acme-tls/1").String(),
		&tls.Config{InsecureSkipVerify: true, NextProtos: []string{"acme-tls/1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if got, _ := io.ReadAll(conn); len(got) > 0 {
		t.Errorf("it answers %q", got)
	}
}

// poor is a listener of a process with too many open files.
type poor struct {
	net.Listener
	refusals atomic.Int32
}

func (l *poor) Accept() (net.Conn, error) {
	if l.refusals.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestListenerSurvivesTooManyOpenFiles(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &poor{Listener: tcp}
	l.refusals.Store(3)
	server := &http.Server{Handler: http.NotFoundHandler()}
	t.Cleanup(func() { server.Close() })
	go server.Serve(NewListener(l, lent(t), time.Second))
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", tcp.Addr().String(),
		&tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatalf("afterwards: %v", err)
	}
	conn.Close()
}

func TestListenerRejectsPlainHTTP(t *testing.T) {
	t.Parallel()
	address := tlsServer(t)
	silent, err := net.Dial("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	plain, err := net.Dial("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	plain.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(plain, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if got, _ := io.ReadAll(plain); !strings.HasPrefix(string(got), "HTTP/1.0 400 ") {
		t.Errorf("plain HTTP: %q", got)
	}
	silent.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := silent.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a silent connection is still open: %v", err)
	}
}

func TestListenerClose(t *testing.T) {
	t.Parallel()
	for _, cfg := range []*tls.Config{nil, {}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		strict := NewListener(l, cfg, time.Second)
		strict.Close()
		if conn, err := strict.Accept(); err == nil {
			conn.Close()
			t.Error("accepted")
		}
	}
}
