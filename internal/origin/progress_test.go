package origin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// protocols are the ways to an origin.
var protocols = []string{"HTTP/1.1", "HTTP/1.1 with TLS", "HTTP/2"}

func serveBy(t *testing.T, protocol string, limit time.Duration, handler http.HandlerFunc) *Transport {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.EnableHTTP2 = protocol == "HTTP/2"
	server.Listener = smallBuffers{server.Listener}
	limited := func(c *Config) { c.ResponseHeader = limit }
	if protocol == "HTTP/1.1" {
		server.Start()
		t.Cleanup(server.Close)
		return reach(t, server.URL, limited)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return reach(t, server.URL, named, limited).trust(server)
}

// smallBuffers limits what the kernel buffers for an origin that does not read. Megabytes on many connections would put
// the machine under memory pressure, which slows down the other tests.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(64 << 10)
	}
	return conn, err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// upload sends a body. Its context is canceled, not timed out, when nothing ends it.
func (t *Transport) upload(test *testing.T, size int64, chunks bool) (*http.Response, error) {
	ctx, cancel := context.WithCancel(test.Context())
	timer := time.AfterFunc(20*time.Second, cancel)
	test.Cleanup(func() { timer.Stop(); cancel() })
	req := t.request(ctx, "POST", "/")
	req.Body, req.ContentLength = io.NopCloser(io.LimitReader(zeros{}, size)), size
	if chunks {
		req.ContentLength = -1
	}
	return t.RoundTrip(req)
}

// TestUploadThatTheOriginDoesNotReadTimesOut does not run in parallel with the tests whose origins send endless data:
// they use all of the processor.
func TestUploadThatTheOriginDoesNotReadTimesOut(t *testing.T) {
	for _, protocol := range protocols {
		for name, chunks := range map[string]bool{"of known length": false, "in chunks": true} {
			t.Run(protocol+" "+name, func(t *testing.T) {
				t.Parallel()
				done := make(chan struct{})
				tr := serveBy(t, protocol, 300*time.Millisecond, func(http.ResponseWriter, *http.Request) { <-done })
				t.Cleanup(func() { close(done) })
				res, err := tr.upload(t, 16<<20, chunks)
				if !isTimeout(err) || errors.Is(err, context.Canceled) {
					t.Errorf("%v, %v; want a timeout", res, err)
				}
			})
		}
	}
}

// TestUploadThatTheOriginReadsSlowlyContinues runs alone for the same reason: its upload would stall for real.
func TestUploadThatTheOriginReadsSlowlyContinues(t *testing.T) {
	const size, limit = 6 << 20, 2 * time.Second
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			tr := serveBy(t, protocol, limit, func(w http.ResponseWriter, r *http.Request) {
				tick := time.NewTicker(limit / 16)
				defer tick.Stop()
				for err := error(nil); err == nil; <-tick.C {
					_, err = io.CopyN(io.Discard, r.Body, size/24)
				}
			})
			res, err := tr.upload(t, size, false)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(res, err)
			}
			res.Body.Close()
		})
	}
}

// TestResponseOutlastsUnreadUpload checks that an origin that responds early can continue its response.
func TestResponseOutlastsUnreadUpload(t *testing.T) {
	t.Parallel()
	const limit = 400 * time.Millisecond
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			tr := serveBy(t, protocol, limit, func(w http.ResponseWriter, r *http.Request) {
				c := http.NewResponseController(w)
				_ = c.EnableFullDuplex()
				tick := time.NewTicker(limit / 8)
				defer tick.Stop()
				for range 24 {
					io.WriteString(w, "x")
					c.Flush()
					<-tick.C
				}
			})
			res, err := tr.upload(t, 16<<20, false)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if got, err := io.ReadAll(res.Body); string(got) != strings.Repeat("x", 24) || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

// socket returns the connection of a WebSocket with an origin that follows the script.
func socket(t *testing.T, limit time.Duration, run func(conn net.Conn, in *bufio.Reader)) io.ReadWriteCloser {
	t.Helper()
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, _ int) {
		readRequest(in)
		send(conn, switched)
		run(conn, in)
	}, func(c *Config) { c.ResponseHeader = limit })
	req := tr.request(t.Context(), "GET", "/")
	req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
	res, err := tr.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(res, err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res.Body.(io.ReadWriteCloser)
}

func TestWebSocketMayBeSilent(t *testing.T) {
	t.Parallel()
	const limit = 50 * time.Millisecond
	ws := socket(t, limit, func(conn net.Conn, in *bufio.Reader) { io.Copy(conn, in) })
	for range 3 {
		<-time.After(5 * limit)
		got := make([]byte, 4)
		if _, err := io.WriteString(ws, "ping"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(ws, got); err != nil || string(got) != "ping" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	half, ok := ws.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		t.Fatal("a half cannot be closed")
	}
	if rest, err := io.ReadAll(ws); len(rest) > 0 || err != nil {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

func TestWebSocketThatTheOriginDoesNotReadEnds(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	ws := socket(t, 300*time.Millisecond, func(net.Conn, *bufio.Reader) { <-done })
	t.Cleanup(func() { close(done) })
	stuck := time.AfterFunc(20*time.Second, func() { ws.Close() })
	defer stuck.Stop()
	if _, err := io.Copy(ws, io.LimitReader(zeros{}, 64<<20)); !isTimeout(err) {
		t.Errorf("%v; want a timeout", err)
	}
}

// TestOwnWriteDeadlineComesFirst checks that closing TLS does not wait for an origin that does not read.
func TestOwnWriteDeadlineComesFirst(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer far.Close()
	c := &progressConn{Conn: near, limit: time.Hour}
	for name, set := range map[string]func(time.Time) error{"write": c.SetWriteDeadline, "both": c.SetDeadline} {
		if err := set(time.Now().Add(10 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("x")); !isTimeout(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
